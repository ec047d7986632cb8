package guestimage

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// archive writes a cpio archive in the format "newc" (kernel:
// Documentation/driver-api/early-userspace/buffer-format.rst). The first error
// stays, and close returns it.
type archive struct {
	w   io.Writer
	ino int
	err error
}

const (
	modeDirectory = 0o040000
	modeFile      = 0o100000
	modeCharacter = 0o020000
)

func (a *archive) entry(name string, mode uint32, major, minor int, content []byte) {
	if a.err != nil {
		return
	}
	a.ino++
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.ino, mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(name)+1, 0, name)
	_, err := io.WriteString(a.w, head+padding(len(head)))
	if err == nil {
		_, err = a.w.Write(content)
	}
	if err == nil {
		_, err = io.WriteString(a.w, padding(len(content)))
	}
	a.err = err
}

func padding(n int) string { return "\x00\x00\x00"[:(4-n%4)%4] }

func (a *archive) directory(name string) { a.entry(name, modeDirectory|0o755, 0, 0, nil) }

func (a *archive) console(name string) { a.entry(name, modeCharacter|0o600, 5, 1, nil) }

func (a *archive) file(name string, content []byte, mode uint32) {
	a.entry(name, modeFile|mode, 0, 0, content)
}

func (a *archive) fromFile(name, path string, mode uint32) {
	b, err := os.ReadFile(path)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	a.file(name, b, mode)
}

func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, 0, 0, nil)
	return a.err
}
