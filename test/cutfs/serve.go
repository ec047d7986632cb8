package cutfs

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// serveEnv makes any program that has this package in it the server of a mount.
const serveEnv = "LAZULI_CUTFS_SERVE"

type volumeSpec struct {
	Backing, Target string
	Order           Order
}

const (
	opCut   = "cut"
	opFree  = "free"
	opClose = "close"
)

// request and answer are what Mount's process and the serving one say to each
// other, as JSON; the first answer is to the mount itself.
type request struct {
	Op     string
	Seed   uint64 `json:",omitempty"`
	Sector int64  `json:",omitempty"`
	Free   int64  `json:",omitempty"`
}

type answer struct {
	Err    string `json:",omitempty"`
	Report Report
}

func init() {
	spec := os.Getenv(serveEnv)
	if spec == "" {
		return
	}
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	if err := serve(spec, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve serves a mount until it is told to close it, or whom it serves has
// gone.
func serve(arg string, in io.Reader, out io.Writer) error {
	var spec volumeSpec
	if err := json.Unmarshal([]byte(arg), &spec); err != nil {
		return err
	}
	enc, dec := json.NewEncoder(out), json.NewDecoder(in)
	v, err := mount(spec.Backing, spec.Target, spec.Order)
	if err != nil {
		return enc.Encode(answer{Err: err.Error()})
	}
	if err := enc.Encode(answer{}); err != nil {
		return v.close()
	}
	for {
		var r request
		if dec.Decode(&r) != nil {
			return v.close()
		}
		var a answer
		var err error
		switch r.Op {
		case opCut:
			a.Report, err = v.cut(r.Seed, r.Sector)
		case opFree:
			v.space.set(r.Free)
		case opClose:
			err = v.close()
		}
		if err != nil {
			a.Err = err.Error()
		}
		if err := enc.Encode(a); err != nil || r.Op == opClose {
			return err
		}
	}
}
