package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

	// OSDisk is the one that the machine was last started with. What follows is
	// about its guest.
	OSDisk       string          `json:"osDisk,omitempty"`
	ReadyAt      *time.Time      `json:"readyAt,omitempty"`
	StartedAt    *time.Time      `json:"startedAt,omitempty"` // of the first start
	BootedAt     *time.Time      `json:"bootedAt,omitempty"`
	Provisioning *fabric.Problem `json:"provisioning,omitempty"`
	FailedAt     *time.Time      `json:"failedAt,omitempty"` // when Provisioning was said
	Events       []fabric.Event  `json:"events,omitempty"`

	// Answering is the agent that answers at the guest's port.
	Answering *fabric.Agent `json:"answering,omitempty"`
	// Commands are those that were assigned, by their UIDs.
	Commands map[string]*commandRecord `json:"commands,omitempty"`
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

// repeatAfter is how long an event is not told once more: what happens again
// and again would push everything else out of the account.
const repeatAfter = 10 * time.Second

func (r *record) event(at time.Time, code, format string, a ...any) {
	e := fabric.Event{At: at, Code: code, Message: fmt.Sprintf(format, a...)}
	if slices.ContainsFunc(r.Events, func(old fabric.Event) bool {
		return old.Code == code && old.Message == e.Message && within(repeatAfter, old.At, at)
	}) {
		return
	}
	r.Events = append(r.Events, e)
	if n := len(r.Events) - fabric.MaxEvents; n > 0 {
		r.Events = r.Events[n:]
	}
}

// within says that at is less than d after since, and not before it.
func within(d time.Duration, since, at time.Time) bool {
	return !at.Before(since) && at.Sub(since) < d
}

// records keeps one file for each machine. Changes are on stable storage when
// they return without an error.
type records struct {
	dir   string
	turns turns // by machine: the sync of one holds up no other

	mu      sync.Mutex
	unsaved map[string]record // of facts that could not be written yet
}

func newRecords(dir string) records {
	return records{dir: dir, turns: newTurns(), unsaved: map[string]record{}}
}

// kept is the record of which a fact could not be written yet, if there is one.
func (s *records) kept(uid string) (r record, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok = s.unsaved[uid]
	return r, ok
}

func (s *records) keep(uid string, r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved[uid] = r
}

func (s *records) drop(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unsaved, uid)
}

func (s *records) path(uid string) string { return filepath.Join(s.dir, uid+".json") }

// get reads a record; a machine without one has an empty one.
func (s *records) get(uid string) (record, error) {
	defer s.turns.take(uid)()
	r, unsaved := s.kept(uid)
	if !unsaved {
		r, _, err := s.read(uid)
		return r, err
	}
	if b, err := json.Marshal(r); err == nil && writeFile(s.path(uid), b) == nil {
		s.drop(uid)
	}
	return r, nil
}

// has says whether there is a record. There is none of a machine that was never
// started, or is removed.
func (s *records) has(uid string) bool {
	defer s.turns.take(uid)()
	if _, unsaved := s.kept(uid); unsaved {
		return true
	}
	_, err := os.Stat(s.path(uid))
	return !errors.Is(err, fs.ErrNotExist)
}

// read returns a record and how it is written.
func (s *records) read(uid string) (r record, b []byte, err error) {
	b, err = os.ReadFile(s.path(uid))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil, nil
	}
	if err != nil {
		return r, nil, fmt.Errorf("read record: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, nil, fmt.Errorf("read record %s: %w", s.path(uid), err)
	}
	return r, b, nil
}

// update changes a record and returns it as it is then; after an error it is as
// it was. A change that changes nothing costs nothing: guests say the same
// things again and again.
func (s *records) update(uid string, f func(*record)) (record, error) {
	r, _, err := s.change(uid, f, false)
	return r, err
}

// note is update for what has happened, which is so whether or not it can be
// written down: on a full disk it holds as long as the agent lives, and is
// written when there is room. It says whether anything changed.
func (s *records) note(uid string, f func(*record)) (changed bool, err error) {
	_, changed, err = s.change(uid, f, true)
	return changed, err
}

func (s *records) change(uid string, f func(*record), fact bool) (r record, changed bool, err error) {
	defer s.turns.take(uid)()
	r, unsaved := s.kept(uid)
	var was []byte
	if !unsaved {
		if r, was, err = s.read(uid); err != nil {
			return r, false, err
		}
	}
	f(&r)
	b, err := json.Marshal(r)
	if err != nil || bytes.Equal(b, was) || was == nil && string(b) == "{}" {
		return r, false, err
	}
	err = writeFile(s.path(uid), b)
	switch {
	case err == nil:
		s.drop(uid)
	case fact:
		s.keep(uid, r)
	}
	return r, true, err
}

func (s *records) remove(uid string) error {
	defer s.turns.take(uid)()
	s.drop(uid)
	for _, path := range []string{unfinished(s.path(uid)), s.path(uid)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove record: %w", err)
		}
	}
	return nil
}

func unfinished(path string) string { return path + ".new" }

// writeFile replaces a file whole and for good. One caller at a time writes a
// file, so that what a crash leaves is written over by the next.
func writeFile(path string, b []byte) error {
	temp := unfinished(path)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp) //nolint:errcheck // the next write does so too
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
