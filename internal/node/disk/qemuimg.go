package disk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// qemuImg runs qemu-img, which ends when ctx does, or the agent: one that went on
// would keep the disk from its machine, and fill a file that has no name. What
// it says of its progress goes to progress, unless that is nil.
func (d *Driver) qemuImg(ctx context.Context, progress func(percent int), args ...string) error {
	runtime.LockOSThread() // it is this thread whose end ends the process
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, d.c.QEMUImg, args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readProgress(out, progress)
	err = cmd.Wait()
	switch text := strings.TrimSpace(said.String()); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.Contains(text, "Failed to get"): // a lock
		return fmt.Errorf("%w: %s", errInUse, text)
	case text != "":
		return errors.New(text)
	default:
		return fmt.Errorf("qemu-img: %w", err)
	}
}

// readProgress reads lines like "    (12.34/100%)", each ended by a carriage
// return, and tells each percentage once.
func readProgress(r io.Reader, progress func(int)) {
	s := bufio.NewScanner(r)
	s.Split(untilReturn)
	last := -1
	for s.Scan() {
		percent, ok := parseProgress(s.Text())
		if ok && percent > last && progress != nil {
			last = percent
			progress(percent)
		}
	}
	io.Copy(io.Discard, r) // whatever else it says must not hold it up
}

func untilReturn(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func parseProgress(line string) (percent int, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimSpace(line), "(")
	number, _, found := strings.Cut(line, "/100%)")
	f, err := strconv.ParseFloat(number, 64)
	if !ok || !found || err != nil || f < 0 || f > 100 {
		return 0, false
	}
	return int(f), true
}
