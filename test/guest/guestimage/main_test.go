package guestimage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// imageEnv tells the tests where the image is: they run in a network namespace
// of their own, where nothing can be downloaded any more.
const imageEnv = "LAZULI_TINY_IMAGE"

func TestMain(m *testing.M) {
	if os.Getenv(imageEnv) != "" {
		os.Exit(m.Run())
	}
	if err := runApart(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runApart builds the image and runs the tests in a new network namespace.
func runApart() error {
	cache, err := filepath.Abs("../../../.cache/tiny")
	if err != nil {
		return err
	}
	dir, err := Build(context.Background(), cache)
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), imageEnv+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	return cmd.Run()
}
