package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAgentAnswers(t *testing.T) {
	toAgent, requests := io.Pipe()
	answers, fromAgent := io.Pipe()
	go newAgent().serve(struct { //nolint:errcheck // ends with the test
		io.Reader
		io.Writer
	}{toAgent, fromAgent})
	t.Cleanup(func() { requests.CloseWithError(io.ErrClosedPipe); fromAgent.Close() })
	in := bufio.NewReader(answers)
	ask := func(line string) string {
		t.Helper()
		if _, err := io.WriteString(requests, line+"\n"); err != nil {
			t.Fatal(err)
		}
		b, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(b)
	}
	for _, step := range []struct{ ask, want string }{
		{"half a \xff" + `{"execute": "guest-sync-delimited", "arguments": {"id": 7}}`, "\xff" + `{"return":7}`},
		{`{"execute": "guest-ping"}`, `{"return":{}}`},
		{`{"execute": "guest-info"}`, `{"return":{"version":"tiny-1"}}`},
		{`{"execute": "guest-fly"}`, `{"error":{"class":"GenericError","desc":"there is no command guest-fly"}}`},
		{`{"execute": "guest-exec", "arguments": {"path": "/nowhere"}}`, `{"error":{"class":"GenericError","desc":"fork/exec /nowhere: no such file or directory"}}`},
		{`{"execute": "guest-exec-status", "arguments": {"pid": 0}}`, `{"error":{"class":"GenericError","desc":"there is no such process"}}`},
	} {
		if got := ask(step.ask); got != step.want {
			t.Errorf("%q: %q, want %q", step.ask, got, step.want)
		}
	}
	started := ask(`{"execute": "guest-exec", "arguments": {"path": "/bin/sh", "arg": ["-c", "cat; exit 3"], "input-data": "aGVsbG8=", "capture-output": true}}`)
	pid := strings.TrimSuffix(strings.TrimPrefix(started, `{"return":{"pid":`), "}}")
	const running, ended = `{"return":{"exited":false,"exitcode":0}}`, `{"return":{"exited":true,"exitcode":3,"out-data":"aGVsbG8="}}`
	for got := running; got != ended; {
		if got = ask(`{"execute": "guest-exec-status", "arguments": {"pid": ` + pid + `}}`); got != running && got != ended {
			t.Fatalf("%q", got)
		}
		<-time.After(time.Millisecond)
	}
}

func TestFindPort(t *testing.T) {
	class := t.TempDir()
	for port, name := range map[string]string{"vport1p1": "org.qemu.guest_agent.0\n", "vport1p2": "other\n"} {
		dir := filepath.Join(class, port)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "name"), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := findPort(class, agentPort); got != "vport1p1" {
		t.Errorf("port = %q", got)
	}
	if got := findPort(class, "third"); got != "" {
		t.Errorf("port = %q", got)
	}
}
