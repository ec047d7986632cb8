package mailbox

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOrderWithoutReader(t *testing.T) {
	m := New[int]()
	defer m.Close()
	const n = 1000
	for i := range n {
		m.Put(i)
	}
	for i := range n {
		if got := <-m.Out(); got != i {
			t.Fatalf("value %d = %d", i, got)
		}
	}
}

func TestClose(t *testing.T) {
	m := New[string]()
	m.Put("lost")
	m.Close()
	m.Close()
	m.Put("after the end")
	if v, ok := <-m.Out(); ok {
		t.Errorf("read %q from a closed mailbox", v)
	}
}
