package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"lazuli/internal/fabric"
)

// record is what the agent remembers of a machine, beyond its own life: things
// that happened once and cannot be seen again.
type record struct {
	// Started says that the machine was started and not stopped since: when no
	// process runs it, it crashed.
	Started bool `json:"started,omitempty"`
	// PowerGeneration is the one that the machine was last started under.
	PowerGeneration int64 `json:"powerGeneration,omitempty"`
	// HaltedAt is the PowerGeneration under which the guest powered itself
	// off; it stays off until Power is asked for anew.
	HaltedAt int64 `json:"haltedAt,omitempty"`
	// Restarts is how many of the restarts asked for were done.
	Restarts int64 `json:"restarts,omitempty"`
	// AskedAt is when the guest was asked to power off, for a stop or restart
	// that is under way.
	AskedAt *time.Time `json:"askedAt,omitempty"`

	// EndedAt is the last end of the process that was told: it may be told
	// again, after the agent comes back.
	EndedAt *time.Time `json:"endedAt,omitempty"`

	ReadyAt      *time.Time      `json:"readyAt,omitempty"`
	StartedAt    *time.Time      `json:"startedAt,omitempty"` // of the first start
	BootedAt     *time.Time      `json:"bootedAt,omitempty"`
	Provisioning *fabric.Problem `json:"provisioning,omitempty"`
	Events       []fabric.Event  `json:"events,omitempty"`
}

// firstTold says whether a process's end at that time is news, and takes note
// of it.
func (r *record) firstTold(at time.Time) bool {
	if r.EndedAt != nil && !at.After(*r.EndedAt) || r.BootedAt != nil && at.Before(*r.BootedAt) {
		return false
	}
	r.EndedAt = &at
	return true
}

func (r *record) event(at time.Time, code, format string, a ...any) {
	r.Events = append(r.Events, fabric.Event{At: at, Code: code, Message: fmt.Sprintf(format, a...)})
	if n := len(r.Events) - fabric.MaxEvents; n > 0 {
		r.Events = r.Events[n:]
	}
}

// records keeps one file for each machine. Changes are on stable storage when
// they return.
type records struct {
	dir string
	mu  sync.Mutex
}

func (s *records) path(uid string) string { return filepath.Join(s.dir, uid+".json") }

// get reads a record; a machine without one has an empty one.
func (s *records) get(uid string) (record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(uid)
}

func (s *records) read(uid string) (record, error) {
	var r record
	b, err := os.ReadFile(s.path(uid))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("read record: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read record %s: %w", s.path(uid), err)
	}
	return r, nil
}

// update changes a record and returns it as it is then.
func (s *records) update(uid string, f func(*record)) (record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.read(uid)
	if err != nil {
		return r, err
	}
	f(&r)
	b, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	return r, writeFile(s.path(uid), b)
}

func (s *records) remove(uid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(s.path(uid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record: %w", err)
	}
	return nil
}

// writeFile replaces a file whole and for good.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone after the rename
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
