package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lazuli/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lazuli": func() { os.Exit(cli.Run(context.Background(), cli.New(cli.Config{Version: "1.2.3"}))) },
	})
}

// TestScripts runs the scripts in testdata against a cloud each. What they say
// is true of any cloud, except where they ask for [fake].
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Condition:           func(cond string) (bool, error) { return cond == "fake", nil },
		Setup: func(e *testscript.Env) error {
			dir := filepath.Join(e.WorkDir, "cloud")
			home := filepath.Join(e.WorkDir, "home")
			for _, d := range []string{dir, home} {
				if err := os.MkdirAll(d, 0o755); err != nil {
					return err
				}
			}
			f := newFakeCloud(t)
			file, err := f.writeCredentials(dir)
			e.Setenv("LAZULI_CREDENTIALS", file)
			e.Setenv("HOME", home)
			return err
		},
	})
}
