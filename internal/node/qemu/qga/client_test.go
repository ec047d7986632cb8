package qga

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// agent answers each request with what answer makes of it.
func agent(t *testing.T, answer func(name string, args json.RawMessage) string) *Client {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	go func() {
		in := bufio.NewReader(theirs)
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			var r struct {
				Execute   string          `json:"execute"`
				Arguments json.RawMessage `json:"arguments"`
			}
			line = bytes.TrimPrefix(line, []byte{sentinel})
			if err := json.Unmarshal(line, &r); err != nil {
				t.Errorf("request %q: %v", line, err)
				return
			}
			if _, err := io.WriteString(theirs, answer(r.Execute, r.Arguments)); err != nil {
				return
			}
		}
	}()
	return New(ours)
}

// polite answers a sync as agents do, and everything else with other.
func polite(other func(name string, args json.RawMessage) string) func(string, json.RawMessage) string {
	return func(name string, args json.RawMessage) string {
		if name != "guest-sync-delimited" {
			return other(name, args)
		}
		var a struct {
			ID int64 `json:"id"`
		}
		if json.Unmarshal(args, &a) != nil {
			return "\xff{}\n"
		}
		return fmt.Sprintf("\xff{\"return\": %d}\n", a.ID)
	}
}

func TestSync(t *testing.T) {
	tests := map[string]struct {
		stale string
		want  error
	}{
		"nothing before":      {"", nil},
		"an answer before":    {"{\"return\": {\"pid\": 4}}\n", nil},
		"half an answer":      {"{\"return\": {\"out-data\": \"aGFs", nil},
		"an earlier sync":     {"\xff{\"return\": -1}\n", nil},
		"several of all":      {"\xff{\"return\": -1}\n\xff{\"return\": -2}\n{\"error\": {}}\n", nil},
		"a lot":               {strings.Repeat("x", 3<<20), nil},
		"without end":         {strings.Repeat("x", maxStale+MaxReply), ErrReply},
		"no answer, and long": {"\xff" + strings.Repeat("x", MaxReply+1), ErrReply},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c := agent(t, polite(func(string, json.RawMessage) string { return `{"return": {"version": "7.2"}}` + "\n" }))
			c.in.Reset(io.MultiReader(strings.NewReader(tt.stale), c.conn))
			if err := c.Sync(ctx); !errors.Is(err, tt.want) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if v, err := c.Version(ctx); v != "7.2" || err != nil {
				t.Errorf("version = %q, %v", v, err)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	tests := map[string]func(ctx context.Context, c *Client) error{
		"sync": func(ctx context.Context, c *Client) error { return c.Sync(ctx) },
		"ask":  func(ctx context.Context, c *Client) error { return c.Do(ctx, "guest-ping", nil, nil) },
		"run":  func(ctx context.Context, c *Client) error { _, err := c.Run(ctx, Program{}); return err },
	}
	for name, ask := range tests {
		t.Run(name, func(t *testing.T) {
			c := agent(t, func(string, json.RawMessage) string { return "" })
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if err := ask(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	tests := map[string]struct{ answer, want string }{
		"fine":      {`{"return": {}}`, ""},
		"refusal":   {`{"error": {"class": "CommandNotFound", "desc": "guest-exec has been disabled"}}`, "guest-exec has been disabled"},
		"neither":   {`{}`, "nonsense"},
		"no object": {`[]`, "nonsense"},
		"no JSON":   {`oops`, "nonsense"},
		"other":     {`{"return": 4}`, "nonsense"},
		"too long":  {`{"return": "` + strings.Repeat("x", MaxReply) + `"}`, "longer than"},
		"deep":      {`{"return": ` + strings.Repeat("[", 20000), "nonsense"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := agent(t, func(string, json.RawMessage) string { return tt.answer + "\n" })
			var out map[string]any
			err := c.Do(t.Context(), "guest-ping", nil, &out)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	asked := 0
	c := agent(t, func(name string, args json.RawMessage) string {
		if name == "guest-exec" {
			want := `{"path":"/bin/sh","arg":["-c","cat"],"input-data":"aGVsbG8=","capture-output":true}`
			if diff := cmp.Diff(want, string(args)); diff != "" {
				t.Error(diff)
			}
			return `{"return": {"pid": 77}}` + "\n"
		}
		if string(args) != `{"pid":77}` {
			t.Errorf("%s %s", name, args)
		}
		if asked++; asked < 3 {
			return `{"return": {"exited": false}}` + "\n"
		}
		return `{"return": {"exited": true, "signal": 9, "out-data": "aGVsbG8=", "err-data": "b2g="}}` + "\n"
	})
	out, err := c.Run(t.Context(), Program{Path: "/bin/sh", Args: []string{"-c", "cat"}, Input: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Output{ExitCode: 137, Stdout: []byte("hello"), Stderr: []byte("oh")}, out); diff != "" {
		t.Error(diff)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\xff{\"return\": 0}\n{\"return\": {\"pid\": 1}}\n{\"return\": {\"exited\": true, \"out-data\": \"eA==\"}}\n"))
	f.Add([]byte("{\"error\": {\"desc\": \"no\"}}\n\xff\xff\n"))
	f.Add([]byte("\xff{\"return\""))
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go io.Copy(io.Discard, theirs) //nolint:errcheck // ends with the pipe
		c := New(ours)
		c.in.Reset(bytes.NewReader(said))
		if err := c.Sync(t.Context()); err == nil {
			t.Skip() // it guessed the id
		}
		if out, err := c.Run(t.Context(), Program{}); err == nil && len(out.Stdout)+len(out.Stderr) > 2*MaxReply {
			t.Errorf("%d bytes", len(out.Stdout)+len(out.Stderr))
		}
	})
}
