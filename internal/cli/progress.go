package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// How soon and how often progress is told.
const (
	quietTime   = time.Second
	frameTime   = 100 * time.Millisecond
	repeatTime  = 30 * time.Second
	eraseLine   = "\r\x1b[K"
	spinnerRing = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
)

// progress tells what a command waits for once that takes more than a second:
// on a terminal with a spinner, elsewhere with a line now and then.
type progress struct {
	w        io.Writer
	terminal bool
}

func progressOf(cmd *cobra.Command) *progress {
	w := cmd.ErrOrStderr()
	return &progress{w: w, terminal: isTerminal(w)}
}

func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// during runs f, which does what the words say: "creating virtual machine web1".
func (p *progress) during(what string, f func() error) error {
	ended := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		if p.terminal {
			p.spin(what, ended)
		} else {
			p.report(what, ended)
		}
	}()
	err := f()
	close(ended)
	<-told
	return err
}

func (p *progress) spin(what string, ended <-chan struct{}) {
	began := time.Now()
	ring := []rune(spinnerRing)
	next := time.NewTimer(quietTime)
	defer next.Stop()
	for i := 0; ; i++ {
		select {
		case <-ended:
			if i > 0 {
				fmt.Fprint(p.w, eraseLine)
			}
			return
		case <-next.C:
			fmt.Fprintf(p.w, "%s%c %s  %s", eraseLine, ring[i%len(ring)], what, time.Since(began).Truncate(time.Second))
			next.Reset(frameTime)
		}
	}
}

func (p *progress) report(what string, ended <-chan struct{}) {
	began := time.Now()
	next := time.NewTimer(quietTime)
	defer next.Stop()
	for first := true; ; first = false {
		select {
		case <-ended:
			return
		case <-next.C:
			if first {
				note(p.w, "%s …", what)
			} else {
				note(p.w, "%s … %s", what, time.Since(began).Truncate(time.Second))
			}
			next.Reset(repeatTime)
		}
	}
}
