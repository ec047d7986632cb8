package cutfs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// Options of a mount.
type Options struct {
	Order Order
}

// Report says what a cut did to the changes that were not durable.
type Report struct{ Kept, Dropped, Torn int }

// FS is a mounted file system. Another process serves it: see the package
// comment.
type FS struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	said bytes.Buffer
	gone bool
}

// Mount mounts the directory backing at target. All that is in backing is
// durable. Only root can mount; any user may use it.
func Mount(backing, target string, o Options) (*FS, error) {
	f, err := start(volumeSpec{backing, target, o.Order})
	if err != nil {
		return nil, fmt.Errorf("mount cutfs: %w", err)
	}
	return f, nil
}

func start(spec volumeSpec) (*FS, error) {
	arg, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	f := &FS{cmd: exec.Command("/proc/self/exe")}
	f.cmd.Env = append(os.Environ(), serveEnv+"="+string(arg))
	f.cmd.Stderr = &f.said
	// It must outlive a signal to the terminal's programs, to put the directory
	// in order; it ends when its input does.
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if f.in, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	f.out = json.NewDecoder(out)
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := f.answer(); err != nil {
		return nil, errors.Join(err, f.end())
	}
	return f, nil
}

// SetFree lets no more than n bytes be written where nothing was before; then
// writes fail with ENOSPC. A negative n takes the limit away.
func (f *FS) SetFree(n int64) error {
	_, err := f.ask("set free", request{Op: opFree, Free: n})
	return err
}

// Cut cuts the power: what is not durable survives as seed has it, and writes
// may survive in part, in whole sectors of so many bytes; with a sector of 0
// they survive as a whole or not. The same changes and seed give the same
// result. From now on the mount answers EIO; after Close, the directory may be
// mounted again.
func (f *FS) Cut(seed uint64, sector int64) (Report, error) {
	return f.ask("cut", request{Op: opCut, Seed: seed, Sector: sector})
}

// Close unmounts. Unless the power was cut, everything is in the directory
// then. A program that still uses the mount gets errors. To close what is
// closed changes nothing.
func (f *FS) Close() error {
	f.mu.Lock()
	gone := f.gone
	f.mu.Unlock()
	if gone {
		return nil
	}
	_, err := f.ask("close", request{Op: opClose})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = true
	return errors.Join(err, f.end())
}

func (f *FS) ask(what string, r request) (Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return Report{}, fmt.Errorf("%s: %w", what, os.ErrClosed)
	}
	if err := json.NewEncoder(f.in).Encode(r); err != nil {
		return Report{}, fmt.Errorf("%s: %w", what, err)
	}
	rep, err := f.answer()
	if err != nil {
		return rep, fmt.Errorf("%s: %w", what, err)
	}
	return rep, nil
}

func (f *FS) answer() (Report, error) {
	var a answer
	if err := f.out.Decode(&a); err != nil {
		return Report{}, fmt.Errorf("the serving process has ended: %w", err)
	}
	if a.Err != "" {
		return a.Report, errors.New(a.Err)
	}
	return a.Report, nil
}

// end waits for the serving process.
func (f *FS) end() error {
	f.in.Close()
	if err := f.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(f.said.String()))
	}
	return nil
}
