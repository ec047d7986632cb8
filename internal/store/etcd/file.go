package etcd

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// writeMark replaces the mark, all of it or not at all.
func (d *directory) writeMark() error {
	b, err := json.Marshal(d.mark)
	if err != nil {
		return err
	}
	name := filepath.Join(d.path, markFile)
	if err := writeSynced(name+".new", append(b, '\n')); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	return syncDir(d.path)
}

func writeSynced(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
