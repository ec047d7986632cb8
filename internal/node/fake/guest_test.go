package fake

import (
	"testing"
	"time"

	"lazuli/internal/fabric"
)

func TestInterpret(t *testing.T) {
	tests := map[string]struct {
		script         string
		stdout, stderr string
		code           int
		lasts          time.Duration
	}{
		"nothing":    {"", "", "", 0, 0},
		"echo":       {"#!/bin/sh\n\necho 'hello'\necho \"oh $1\" >&2", "hello\n", "oh you\n", 0, 0},
		"parameters": {"echo $who $1", "you you\n", "", 0, 0},
		"programs":   {"whoami\nuname -a\ntrue", "root\nLinux\n", "", 0, 0},
		"sleep":      {"sleep 2\nsleep 0.5", "", "", 0, 2500 * time.Millisecond},
		"exit":       {"exit 3\necho never", "", "", 3, 0},
		"not found":  {"apt install x", "", "sh: apt: not found\n", 127, 0},
		"found then": {"apt install x\necho on", "on\n", "sh: apt: not found\n", 0, 0},
	}
	for name, tt := range tests {
		p, lasts := interpret(fabric.Command{Script: tt.script, Parameters: []fabric.Parameter{{Name: "who", Value: "you"}}})
		if string(p.Stdout) != tt.stdout || string(p.Stderr) != tt.stderr || p.ExitCode != tt.code || lasts != tt.lasts {
			t.Errorf("%s: %q, %q, %d after %s", name, p.Stdout, p.Stderr, p.ExitCode, lasts)
		}
	}
}
