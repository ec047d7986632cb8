package main

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A record is a number and its checksum, in recordSize bytes: a torn one is
// known by its checksum, and records lie across the edges of sectors.
const recordSize = 22

func record(n int64) []byte {
	num := fmt.Sprintf("%012d", n)
	return fmt.Appendf(nil, "%s %08x\n", num, crc32.ChecksumIEEE([]byte(num)))
}

// verify reads records 1, 2, 3 and so on, and returns the last one. What follows
// the last good record must be the torn rest of one write, or zeros that the
// file system has put where a write has not arrived; anything else is an error:
// a gap, or a bad record before a good one.
func verify(r io.Reader) (last int64, err error) {
	in := bufio.NewReader(r)
	b := make([]byte, recordSize)
	for torn := false; ; {
		_, err := io.ReadFull(in, b)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		if string(b) != string(record(last+1)) {
			if torn || valid(b) {
				return last, fmt.Errorf("after record %d comes %q", last, b)
			}
			torn = true
			continue
		}
		if torn {
			return last, fmt.Errorf("record %d was lost, the one after it was not", last+1)
		}
		last++
	}
}

// valid says whether b is some record at all.
func valid(b []byte) bool {
	var n int64
	if _, err := fmt.Sscanf(string(b), "%d ", &n); err != nil {
		return false
	}
	return string(b) == string(record(n))
}

// log is a file of records.
type log struct {
	file *os.File
	last int64
}

// openLog goes on after the last good record of the file.
func openLog(path string) (*log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	last, err := verify(f)
	if err == nil {
		err = f.Truncate(last * recordSize)
	}
	if err == nil {
		_, err = f.Seek(last*recordSize, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &log{f, last}, nil
}

// append adds one record. When it returns nil the record is durable.
func (l *log) append() error {
	if _, err := l.file.Write(record(l.last + 1)); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.last++
	return nil
}
