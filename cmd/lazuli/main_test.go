package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lazuli/internal/daemon"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lazuli": main})
}

// TestScripts runs the scripts in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			dir := filepath.Join(e.WorkDir, "data")
			e.Defer(func() {
				if pid, err := daemon.Holder(dir); err == nil && pid != 0 {
					_ = syscall.Kill(pid, syscall.SIGKILL) // the script did not get to its end
				}
			})
			e.Setenv("LAZULI_DATA_DIR", dir)
			e.Setenv("UP", "up --driver fake --listen 127.0.0.1:0 --node-listen 127.0.0.1:0")
			return nil
		},
	})
}
