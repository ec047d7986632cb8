package main

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// tb lets package cloudtest, which is made for tests, run a cloud for a
// program. What it does not define, cloudtest must not call.
type tb struct {
	testing.TB
	ctx      context.Context
	failed   bool
	cleanups []func()
}

func newTB(ctx context.Context) *tb { return &tb{ctx: ctx} }

// fatal is what ends an attempt.
type fatal struct{ reason string }

func (t *tb) Helper()                  {}
func (t *tb) Context() context.Context { return t.ctx }
func (t *tb) Failed() bool             { return t.failed }
func (t *tb) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *tb) Log(a ...any)             { fmt.Fprint(os.Stderr, "bench: ", fmt.Sprintln(a...)) }
func (t *tb) Logf(f string, a ...any)  { t.Log(fmt.Sprintf(f, a...)) }
func (t *tb) Error(a ...any)           { t.failed = true; t.Log(a...) }
func (t *tb) Errorf(f string, a ...any) {
	t.Error(fmt.Sprintf(f, a...))
}
func (t *tb) Fatal(a ...any)            { panic(fatal{fmt.Sprint(a...)}) }
func (t *tb) Fatalf(f string, a ...any) { panic(fatal{fmt.Sprintf(f, a...)}) }

func (t *tb) TempDir() string {
	dir, err := os.MkdirTemp("", "lazuli-bench-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// attempt calls f; when f ends by Fatal, that is told and all goes on.
func (t *tb) attempt(name string, f func()) {
	defer func() {
		if f, ok := recover().(fatal); ok {
			t.Errorf("%s: %s", name, f.reason)
		}
	}()
	f()
}

// cleanUp undoes everything, the latest first.
func (t *tb) cleanUp() {
	for len(t.cleanups) > 0 {
		last := t.cleanups[len(t.cleanups)-1]
		t.cleanups = t.cleanups[:len(t.cleanups)-1]
		t.attempt("clean up", last)
	}
}
