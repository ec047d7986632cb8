package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// agentPort is the name of the serial port at which the platform speaks to the
// agent of the guest, in the protocol of QEMU's.
const agentPort = "org.qemu.guest_agent.0"

// serveAgent is the guest's agent: it runs programs for the platform.
func serveAgent() {
	for range each(time.Second, time.Minute) {
		if dev := findPort("/sys/class/virtio-ports", agentPort); dev != "" {
			logf("agent ended err=%q", serveAgentAt("/dev/"+dev))
			return
		}
	}
	logf("no agent: there is no port for it")
}

// findPort is the device of the port with that name, or "".
func findPort(class, name string) string {
	files, _ := filepath.Glob(filepath.Join(class, "*", "name"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.TrimSpace(string(b)) == name {
			return filepath.Base(filepath.Dir(f))
		}
	}
	return ""
}

func serveAgentAt(dev string) error {
	port, err := os.OpenFile(dev, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer port.Close()
	return newAgent().serve(port)
}

// agent runs programs, and keeps what they came to until it is asked.
type agent struct {
	mu      sync.Mutex
	results map[int]*execResult // by process; nil while it runs
}

type execResult struct {
	Exited   bool   `json:"exited"`
	ExitCode int    `json:"exitcode"`
	Stdout   []byte `json:"out-data,omitempty"`
	Stderr   []byte `json:"err-data,omitempty"`
}

func newAgent() *agent { return &agent{results: map[int]*execResult{}} }

type agentRequest struct {
	Execute   string `json:"execute"`
	Arguments struct {
		ID    int64    `json:"id"`
		Path  string   `json:"path"`
		Arg   []string `json:"arg"`
		Input []byte   `json:"input-data"`
		PID   int      `json:"pid"`
	} `json:"arguments"`
}

// serve answers until the port ends. While nobody is at its other end, a port
// reads as if it had ended.
func (a *agent) serve(port io.ReadWriter) error {
	in := bufio.NewReader(port)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			<-time.After(100 * time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		if i := bytes.LastIndexByte(line, 0xff); i >= 0 { // drop what came before
			line = line[i+1:]
		}
		var r agentRequest
		var answer map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			answer = refusal(err)
		} else {
			answer = a.answer(r)
		}
		b, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		if r.Execute == "guest-sync-delimited" {
			b = append([]byte{0xff}, b...)
		}
		if _, err := port.Write(append(b, '\n')); err != nil {
			return err
		}
	}
}

func refusal(err error) map[string]any {
	return map[string]any{"error": map[string]string{"class": "GenericError", "desc": err.Error()}}
}

func (a *agent) answer(r agentRequest) map[string]any {
	switch r.Execute {
	case "guest-sync", "guest-sync-delimited":
		return map[string]any{"return": r.Arguments.ID}
	case "guest-ping":
		return map[string]any{"return": struct{}{}}
	case "guest-info":
		return map[string]any{"return": map[string]string{"version": "tiny-1"}}
	case "guest-exec":
		pid, err := a.exec(r)
		if err != nil {
			return refusal(err)
		}
		return map[string]any{"return": map[string]int{"pid": pid}}
	case "guest-exec-status":
		s, err := a.status(r.Arguments.PID)
		if err != nil {
			return refusal(err)
		}
		return map[string]any{"return": s}
	}
	return refusal(errors.New("there is no command " + r.Execute))
}

func (a *agent) exec(r agentRequest) (pid int, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(r.Arguments.Path, r.Arguments.Arg...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(r.Arguments.Input), &stdout, &stderr
	cmd.Env = []string{"PATH=/bin:/sbin"}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	pid = cmd.Process.Pid
	a.results[pid] = nil
	go func() {
		cmd.Wait() //nolint:errcheck // its state says it
		a.mu.Lock()
		defer a.mu.Unlock()
		a.results[pid] = &execResult{Exited: true, ExitCode: cmd.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}
	}()
	return pid, nil
}

func (a *agent) status(pid int) (*execResult, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.results[pid]
	switch {
	case !ok:
		return nil, errors.New("there is no such process")
	case s == nil:
		return &execResult{}, nil
	}
	delete(a.results, pid)
	return s, nil
}
