package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"
)

// How long the log of a daemon in the background may become, and how often it
// is looked at. There is one older one beside it.
const (
	logBytes = 16 << 20
	logEvery = time.Minute
)

// keepLogShort shortens the log of a daemon until ctx ends, if that is where
// its stderr goes; a service manager has a log of its own.
func keepLogShort(ctx context.Context, path string, log *slog.Logger) {
	mine, err := os.Stderr.Stat()
	if err != nil {
		return
	}
	named, err := os.Stat(path)
	if err != nil || !os.SameFile(mine, named) {
		return
	}
	t := time.NewTicker(logEvery)
	defer t.Stop()
	for {
		if err := shorten(path, logBytes); err != nil {
			log.Warn("log not shortened, will retry", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// shorten moves what a file has into one with ".1" behind its name, when it has
// more than most bytes. Who has the file open to append goes on at its
// beginning; a line that is written meanwhile may be lost.
func shorten(path string, most int64) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fi, err := f.Stat()
	if err != nil || fi.Size() <= most {
		return err
	}
	older, err := os.OpenFile(path+".1", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(older, f)
	err = errors.Join(err, older.Close())
	// Without room for the copy the log goes all the same: it is what takes it.
	return errors.Join(err, f.Truncate(0))
}
