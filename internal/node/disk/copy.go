package disk

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// copyChunk is how much is copied between two looks at the context.
const copyChunk = 16 << 20

// copySparse copies a file with its holes. Where the file system can, the
// copies share their blocks; else room is asked for them.
func copySparse(ctx context.Context, from *os.File, path string, room func(bytes int64) error) error {
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer to.Close()
	if unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) == nil {
		return to.Close()
	}
	st, err := from.Stat()
	if err != nil {
		return err
	}
	if err := room(st.Sys().(*syscall.Stat_t).Blocks * 512); err != nil {
		return err
	}
	if err := to.Truncate(st.Size()); err != nil {
		return err
	}
	for at := int64(0); at < st.Size(); {
		data, err := unix.Seek(int(from.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // a hole to the end
		}
		if err != nil {
			return err
		}
		hole, err := unix.Seek(int(from.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := copyRange(ctx, to, from, data, hole); err != nil {
			return err
		}
		at = hole
	}
	return to.Close()
}

func copyRange(ctx context.Context, to, from *os.File, at, end int64) error {
	for at < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(copyChunk, end-at)
		w := io.NewOffsetWriter(to, at)
		if _, err := io.Copy(w, io.NewSectionReader(from, at, n)); err != nil {
			return err
		}
		at += n
	}
	return nil
}
