package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// owners hands out user ids, one to each machine. An id is used again as late
// as possible: disks that a machine had may still belong to it.
type owners struct {
	first, count int
	path         string // of the file that keeps next

	mu   sync.Mutex
	byVM map[string]int
	used map[int]bool
	next int
}

func newOwners(first, count int, path string) (*owners, error) {
	o := &owners{first: first, count: count, path: path, byVM: map[string]int{}, used: map[int]bool{}, next: first}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && n >= first && n < first+count {
		o.next = n
	}
	return o, nil
}

// keep notes an id that was handed out before.
func (o *owners) keep(uid string, owner int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byVM[uid], o.used[owner] = owner, true
}

// take returns the machine's id, a new one if it has none.
func (o *owners) take(uid string) (owner int, isNew bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if owner, ok := o.byVM[uid]; ok {
		return owner, false, nil
	}
	for range o.count {
		owner := o.next
		o.next = o.first + (o.next+1-o.first)%o.count
		if !o.used[owner] {
			o.byVM[uid], o.used[owner] = owner, true
			return owner, true, nil
		}
	}
	return 0, false, fmt.Errorf("all %d user ids from %d on are taken by machines", o.count, o.first)
}

// release gives the machine's id back.
func (o *owners) release(uid string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.used, o.byVM[uid])
	delete(o.byVM, uid)
}

// save writes down where to go on after a restart.
func (o *owners) save() error {
	o.mu.Lock()
	next := o.next
	o.mu.Unlock()
	return dir(filepath.Dir(o.path)).write(filepath.Base(o.path), []byte(strconv.Itoa(next)+"\n"))
}

// Owner is the user that runs the machine.
func (d *Driver) Owner(uid string) (int, error) {
	m, err := d.machine(uid)
	if err != nil {
		return 0, err
	}
	if err := d.founding.enter(context.Background()); err != nil {
		return 0, err
	}
	defer d.founding.leave()
	owner, isNew, err := d.owners.take(uid)
	if err != nil || !isNew {
		return owner, err
	}
	if err := d.found(m, owner); err != nil {
		d.owners.release(uid)
		return 0, fmt.Errorf("owner of %s: %w", uid, err)
	}
	return owner, nil
}

// found makes the directory of a new machine.
func (d *Driver) found(m *machine, owner int) error {
	if err := d.owners.save(); err != nil {
		return err
	}
	if err := os.Mkdir(string(m.dir), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := m.dir.save(handle{UID: m.uid, Owner: owner}); err != nil {
		return err
	}
	return syncDir(filepath.Dir(string(m.dir)))
}
