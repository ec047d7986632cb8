package guest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

const uid = "c0000000-0000-4000-8000-000000000001"

// inside runs the scripts of a guest right here, in a directory of the test's.
type inside struct {
	t   *testing.T
	dir string
}

func newInside(t *testing.T) inside {
	return inside{t, filepath.Join(t.TempDir(), "commands")}
}

func (g inside) call(v Verb, boot string, input []byte) (stdout, stderr []byte) {
	g.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(Shell, Args(v, g.dir, boot, uid)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = Check(exit.ExitCode(), errs.Bytes())
	}
	if err != nil {
		g.t.Fatalf("%s: %v", v, err)
	}
	return out.Bytes(), errs.Bytes()
}

func (g inside) boot() string {
	g.t.Helper()
	out, _ := g.call(Boot, "", nil)
	boot, err := ParseBoot(out)
	if err != nil {
		g.t.Fatal(err)
	}
	return boot
}

func (g inside) look(boot string) node.CommandProgress {
	g.t.Helper()
	p, err := ParseLook(g.call(Look, boot, nil))
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

// await looks until the command is in the state.
func (g inside) await(boot string, state node.CommandState) node.CommandProgress {
	g.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		p := g.look(boot)
		if p.State == state {
			return p
		}
		select {
		case <-tick.C:
		case <-deadline:
			g.t.Fatalf("it is %+v, want %s", p, state)
		}
	}
}

func TestScripts(t *testing.T) {
	two := []fabric.Parameter{{Name: "arg1", Value: "it's"}, {Name: "not-a-name", Value: "$HOME `x` \"y\"\nz"}}
	tests := map[string]struct {
		command        fabric.Command
		code           int
		stdout, stderr string
	}{
		"output":      {fabric.Command{Script: "echo out\necho err >&2\nexit 3"}, 3, "out\n", "err\n"},
		"nothing":     {fabric.Command{Script: ""}, 0, "", ""},
		"interpreter": {fabric.Command{Script: "#!/bin/cat\nhello"}, 0, "#!/bin/cat\nhello\n", ""},
		"parameters":  {fabric.Command{Script: `printf '%s|' "$#" "$1" "$2" "$arg1"`, Parameters: two}, 0, "2|it's|$HOME `x` \"y\"\nz|it's|", ""},
		"quotes":      {fabric.Command{Script: "cat <<'X'\n$a `b` \\ ' \"\nX\n"}, 0, "$a `b` \\ ' \"\n", ""},
		"no input":    {fabric.Command{Script: "cat; pwd >/dev/null"}, 0, "", ""},
		"a signal":    {fabric.Command{Script: "kill -TERM $$"}, 143, "", ""},
		"long output": {fabric.Command{Script: "head -c 100000 /dev/zero | tr '\\0' x; echo end"}, 0, strings.Repeat("x", fabric.MaxOutput-4) + "end\n", ""},
		"background":  {fabric.Command{Script: "sleep 1000 & echo $! >bg; echo started"}, 0, "started\n", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newInside(t)
			boot := g.boot()
			tt.command.UID = uid
			if p := g.look(boot); p.State != node.CommandUnknown {
				t.Errorf("before: %+v", p)
			}
			g.call(Begin, boot, Input(tt.command))
			p := g.await(boot, node.CommandEnded)
			if p.ExitCode != tt.code || string(p.Stdout) != tt.stdout || !strings.Contains(string(p.Stderr), tt.stderr) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d, %q, %q", p.ExitCode, p.Stdout, p.Stderr, tt.code, tt.stdout, tt.stderr)
			}
			if left, _ := filepath.Glob(filepath.Join(g.dir, uid, "*run*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			killBackground(t, filepath.Join(g.dir, uid, "bg"))
			g.call(Forget, boot, nil)
			if _, err := os.Stat(filepath.Join(g.dir, uid)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the command is kept: %v", err)
			}
		})
	}
}

func killBackground(t *testing.T, file string) {
	pid, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if err := exec.Command("kill", strings.TrimSpace(string(pid))).Run(); err != nil {
		t.Error(err)
	}
}

// However often a command is begun, and by however many at once, it runs once.
func TestBeginRunsOnce(t *testing.T) {
	g := newInside(t)
	boot, counter := g.boot(), filepath.Join(t.TempDir(), "counter")
	input := Input(fabric.Command{UID: uid, Script: "echo once >>" + counter + "\nread x <" + counter + ".wait"})
	if err := exec.Command("mkfifo", counter+".wait").Run(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	for range 4 {
		go func() { defer func() { done <- struct{}{} }(); g.call(Begin, boot, input) }()
	}
	for range 4 {
		<-done
	}
	g.await(boot, node.CommandRunning)
	if err := os.WriteFile(counter+".wait", []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	g.await(boot, node.CommandEnded)
	g.call(Begin, boot, input)
	if b, err := os.ReadFile(counter); string(b) != "once\n" {
		t.Errorf("counter = %q, %v", b, err)
	}
}

func TestOtherBoot(t *testing.T) {
	const other = "00000000-0000-4000-8000-000000000000"
	g := newInside(t)
	g.call(Begin, other, Input(fabric.Command{UID: uid, Script: "exit 3"}))
	if p := g.look(other); p.State != node.CommandBroken {
		t.Errorf("begun in another boot: %+v", p)
	}
	if p := g.look(g.boot()); p.State != node.CommandUnknown {
		t.Errorf("it ran: %+v", p)
	}
	g.call(Begin, g.boot(), Input(fabric.Command{UID: uid, Script: "exit 3"}))
	g.await(g.boot(), node.CommandEnded)
	if p := g.look(other); p.State != node.CommandEnded || p.ExitCode != 3 {
		t.Errorf("its result after a boot: %+v", p)
	}
}

func TestKill(t *testing.T) {
	g := newInside(t)
	boot, fifo := g.boot(), filepath.Join(t.TempDir(), "fifo")
	if err := exec.Command("mkfifo", fifo).Run(); err != nil {
		t.Fatal(err)
	}
	// A child of the script is ended with it: that closes the pipe.
	g.call(Begin, boot, Input(fabric.Command{UID: uid, Script: "echo some\n(sleep 1000 >" + fifo + ")\necho more"}))
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g.call(Kill, "00000000-0000-4000-8000-000000000000", nil) // of another boot
	g.await(boot, node.CommandRunning)
	g.call(Kill, boot, nil)
	if _, err := f.Read(make([]byte, 1)); err == nil {
		t.Error("the child wrote")
	}
	if p := g.await(boot, node.CommandBroken); string(p.Stdout) != "some\n" {
		t.Errorf("it is %+v", p)
	}
}

func TestGuestThatKeepsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g := inside{t, filepath.Join(file, "commands")}
	cmd := exec.Command(Shell, Args(Begin, g.dir, g.boot(), uid)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	exit, _ := errors.AsType[*exec.ExitError](cmd.Run())
	if exit == nil {
		t.Fatal("no error")
	}
	if _, ok := errors.AsType[*fabric.Problem](Check(exit.ExitCode(), stderr.Bytes())); !ok {
		t.Errorf("exit code %d: %s", exit.ExitCode(), &stderr)
	}
}

// The shell takes the script about access, and what is in it.
func TestAccess(t *testing.T) {
	in := Input(fabric.Command{UID: uid, Access: &fabric.Access{Username: "a'b", Password: "$x `y`", ResetSSH: true}})
	for _, want := range []string{`user='a'\''b'`, "password='$x `y`'", "reset='yes'", "remove=''"} {
		if !bytes.Contains(in, []byte(want+"\n")) {
			t.Errorf("no %s in %s", want, in)
		}
	}
	cmd := exec.Command(Shell, "-n")
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	// Nothing asked for is nothing done.
	cmd = exec.Command(Shell)
	cmd.Dir, cmd.Stdin = t.TempDir(), bytes.NewReader(Input(fabric.Command{UID: uid, Access: &fabric.Access{}}))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestParseLookRefuses(t *testing.T) {
	for _, said := range []string{"", "ended", "ended 3", "ended x\n", "ended 256\n", "ended -1\n", "dancing 0\n", "ended\n3\n"} {
		if p, err := ParseLook([]byte(said), nil); !errors.Is(err, ErrAnswer) {
			t.Errorf("%q: %+v, %v", said, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("ended 3\nhello"), []byte("oh"))
	f.Add([]byte("running 0\n\xff\xfe"), []byte{})
	f.Fuzz(func(t *testing.T, stdout, stderr []byte) {
		if p, err := ParseLook(stdout, stderr); err == nil && (len(p.Stdout) > fabric.MaxOutput || len(p.Stderr) > fabric.MaxOutput || !known[p.State]) {
			t.Errorf("%+v", p)
		}
		if s := Text(stderr, 100); len(s) > 100 {
			t.Errorf("%d bytes: %q", len(s), s)
		}
		if boot, err := ParseBoot(stdout); err == nil && len(boot) != 36 {
			t.Errorf("boot = %q", boot)
		}
	})
}
