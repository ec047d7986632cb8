package etcd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// checkMember looks for the damage that etcd would not report: it begins an
// empty database where there is none, and dies over one that it cannot read.
func checkMember(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
	if err != nil {
		return err
	}
	if len(logs) == 0 {
		return fmt.Errorf("incomplete: no write-ahead log in %s", filepath.Join(dir, "wal"))
	}
	db := filepath.Join(dir, "snap", "db")
	if err := checkDatabase(db); err != nil {
		return fmt.Errorf("damaged: %s: %w", db, err)
	}
	return nil
}

// checkDatabase opens the file as etcd will and compares its length with what
// it should be: a page beyond the end would end the process.
func checkDatabase(name string) (err error) {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("cut off at %d of %d bytes", info.Size(), tx.Size())
		}
		return nil
	})
}
