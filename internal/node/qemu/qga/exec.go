package qga

import (
	"context"
	"time"
)

// Program is what is run in a guest, as root.
type Program struct {
	Path  string
	Args  []string
	Input []byte
}

// Output is what a program in a guest came to. The guest may say anything.
type Output struct {
	ExitCode       int
	Stdout, Stderr []byte
}

// How often an agent is asked whether a program has ended.
const (
	firstAsk = 10 * time.Millisecond
	lastAsk  = 500 * time.Millisecond
)

type execArgs struct {
	Path    string   `json:"path"`
	Args    []string `json:"arg,omitempty"`
	Input   []byte   `json:"input-data,omitempty"`
	Capture bool     `json:"capture-output"`
}

type execStatus struct {
	Exited   bool   `json:"exited"`
	ExitCode int    `json:"exitcode"`
	Signal   int    `json:"signal"`
	Stdout   []byte `json:"out-data"`
	Stderr   []byte `json:"err-data"`
}

// Version is that of the agent.
func (c *Client) Version(ctx context.Context) (string, error) {
	var info struct {
		Version string `json:"version"`
	}
	err := c.Do(ctx, "guest-info", nil, &info)
	return info.Version, err
}

// Run runs a short program to its end. After an error nobody knows whether it
// ran.
func (c *Client) Run(ctx context.Context, p Program) (Output, error) {
	var started struct {
		PID int64 `json:"pid"`
	}
	args := execArgs{Path: p.Path, Args: p.Args, Input: p.Input, Capture: true}
	if err := c.Do(ctx, "guest-exec", args, &started); err != nil {
		return Output{}, err
	}
	t := time.NewTimer(0)
	defer t.Stop()
	for wait := firstAsk; ; wait = min(2*wait, lastAsk) {
		select {
		case <-t.C:
		case <-ctx.Done():
			return Output{}, ctx.Err()
		}
		var s execStatus
		if err := c.Do(ctx, "guest-exec-status", map[string]int64{"pid": started.PID}, &s); err != nil {
			return Output{}, err
		}
		if s.Exited {
			return s.output(), nil
		}
		t.Reset(wait)
	}
}

// signalled is what a shell makes of a signal.
const signalled = 128

func (s *execStatus) output() Output {
	code := s.ExitCode
	if s.Signal != 0 {
		code = signalled + s.Signal
	}
	return Output{ExitCode: code, Stdout: s.Stdout, Stderr: s.Stderr}
}
