package etcd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/schema"
)

// checkMember looks for the damage that etcd would not report. It begins an
// empty database where there is none, dies over one that it cannot read, and
// cuts off a log at the first record that it takes for a torn write, even when
// the database already holds what followed.
func checkMember(dir string) error {
	db, logs := filepath.Join(dir, "snap", "db"), filepath.Join(dir, "wal")
	logged, err := lastLogged(logs)
	if err != nil {
		return err
	}
	applied, err := lastApplied(db)
	if err != nil {
		return fmt.Errorf("damaged: %s: %w", db, err)
	}
	if logged < applied {
		return fmt.Errorf("damaged: %s ends at entry %d, the database holds entry %d", logs, logged, applied)
	}
	return nil
}

// lastApplied opens the database as etcd will and returns the index of the
// last log entry in it. It compares the file's length with what it should be:
// a page beyond the end would end the process.
func lastApplied(name string) (index uint64, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("cut off at %d of %d bytes", info.Size(), tx.Size())
		}
		index = consistentIndex(tx)
		return nil
	})
	return index, err
}

func consistentIndex(tx *bbolt.Tx) uint64 {
	meta := tx.Bucket(schema.Meta.Name())
	if meta == nil {
		return 0
	}
	v := meta.Get(schema.MetaConsistentIndexKeyName)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}
