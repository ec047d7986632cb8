package txn

import (
	"fmt"

	"lazuli/internal/store"
)

// Check says what is wrong with the transaction whatever the state: an empty
// key, or more than the limits allow.
func (t *Tx) Check() error {
	if _, ok := t.writes[""]; ok {
		return errEmptyKey
	}
	if n := max(len(t.writes), len(t.reads)+len(t.prefixes)); n > MaxOps {
		return fmt.Errorf("transaction of %d keys, at most %d: %w", n, MaxOps, store.ErrTooLarge)
	}
	if n := t.Size(); n > MaxBytes {
		return fmt.Errorf("transaction of %d bytes, at most %d: %w", n, MaxBytes, store.ErrTooLarge)
	}
	return nil
}

// Size is what the transaction reads of keys and writes of keys and values, in
// bytes.
func (t *Tx) Size() (n int) {
	for key := range t.reads {
		n += len(key)
	}
	for key, w := range t.writes {
		n += len(key) + len(w.Value)
	}
	return n
}
