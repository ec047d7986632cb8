package etcd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
)

// etcd makes its log from files of 64 MB and keeps an empty one at hand; a
// start reads them all. A quarter of that is room enough for one machine.
func init() { wal.SegmentSizeBytes = 16 << 20 }

// lastLogged reads the write-ahead log in dir and returns the index of its
// last entry. A torn write at the end is no damage, that is how a crash
// leaves a log; anything else that cannot be read is.
func lastLogged(dir string) (index uint64, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("incomplete: no write-ahead log in %s", dir)
	}
	var readers []fileutil.FileReader
	for _, name := range names { // sorted, which is their order
		f, err := os.Open(name)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		readers = append(readers, fileutil.NewFileReader(f))
	}
	index, err = decode(wal.NewDecoder(readers...))
	if err != nil {
		return 0, fmt.Errorf("damaged: %s: %w", dir, err)
	}
	return index, nil
}

func decode(d wal.Decoder) (last uint64, err error) {
	for {
		var rec walpb.Record
		err := d.Decode(&rec)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return last, nil
		case err != nil:
			return 0, err
		case rec.GetType() == wal.CrcType:
			if crc := d.LastCRC(); crc != 0 && rec.Validate(crc) != nil {
				return 0, wal.ErrCRCMismatch
			}
			d.UpdateCRC(rec.GetCrc())
		case rec.GetType() == wal.EntryType:
			last = wal.MustUnmarshalEntry(rec.Data).GetIndex()
		}
	}
}
