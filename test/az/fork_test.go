package az_test

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Most of what an az costs is to start Python and to load its libraries. So
// nearly all of them are forks of one process that has done so, see fork.py:
// in these tests the first az in the path is one that asks for such a fork.

//go:embed fork.py
var fork []byte

// socketName is the environment variable that says where to ask.
const socketName = "AZ_TEST_SOCKET"

// stock is the az that is installed.
var stock string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "az" {
		forked()
	}
	if path, err := exec.LookPath("az"); err == nil {
		stock = path // else no test will find one
	}
	os.Exit(m.Run())
}

// serveForks puts an az that forks first in the path, until the test ends.
func serveForks(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	program, socket := filepath.Join(dir, "fork.py"), filepath.Join(dir, "socket")
	self, err := os.Executable()
	if err := errors.Join(err, os.WriteFile(program, fork, 0o600), os.Symlink(self, filepath.Join(dir, "az"))); err != nil {
		t.Fatal(err)
	}
	// The same Python, and the same of its settings that are made when it starts.
	cmd := exec.Command("/usr/bin/python3", program, stock, socket)
	cmd.Env = []string{"LC_ALL=C.UTF-8", "HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = os.Stderr
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	up, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = alive.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("fork.py: %v", err)
		}
	})
	if _, err := up.Read(make([]byte, 1)); err != nil {
		t.Fatalf("fork.py does not start: %v", err)
	}
	t.Setenv(socketName, socket)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// testForks holds forks to what they stand for.
func testForks(t *testing.T, env []string) {
	run := func(t *testing.T, name string, args []string) (out, said string, code int) {
		t.Helper()
		cmd := exec.Command(name, args...)
		var o, e strings.Builder
		cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, strings.NewReader("no\n"), &o, &e
		if err := cmd.Run(); err != nil {
			if _, ok := errors.AsType[*exec.ExitError](err); !ok {
				t.Fatal(err)
			}
		}
		return o.String(), e.String(), cmd.ProcessState.ExitCode()
	}
	for name, args := range map[string][]string{
		"output":            {"account", "list"},
		"unicode":           {"group", "list", "--query", "'ö …'"},
		"help":              {"vm", "resize", "--help"},
		"usage":             {"vm", "resize", "--nonsense"},
		"not there":         {"vm", "show", "-g", "none", "-n", "none"},
		"question":          {"group", "delete", "-n", "none"},
		"refused by itself": {"vm", "create", "-g", "none", "-n", "none", "--image", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			wantOut, wantSaid, wantCode := run(t, stock, args)
			for range 2 { // the second finds loaded what the first loaded
				out, said, code := run(t, "az", args)
				if code != wantCode {
					t.Errorf("a fork ends with %d, az with %d", code, wantCode)
				}
				if d := cmp.Diff([]string{wantOut, wantSaid}, []string{out, said}); d != "" {
					t.Errorf("what a fork and az say (-az +fork):\n%s", d)
				}
			}
		})
	}
	t.Run("killed", func(t *testing.T) {
		cmd := exec.Command("az", "group", "wait", "-n", "none", "--created", "--interval", "3600", "--debug")
		cmd.Env = env
		said, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(said).ReadString('\n'); !strings.Contains(line, "knack") {
			t.Errorf("it says %q, %v", line, err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		// It ends when nobody has the other end open, thus when the fork is dead.
		if _, err := io.Copy(io.Discard, said); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
}

// command is what fork.py is asked for.
type command struct {
	Args []string
	Env  map[string]string
	Dir  string
}

// forked is the az of the path: it has a fork of fork.py run with its
// arguments, environment, directory and files.
func forked() {
	code, err := askFork(os.Getenv(socketName))
	if err != nil {
		fmt.Fprintf(os.Stderr, "fork.py: %v\n", err)
		code = 125
	}
	os.Exit(code)
}

func askFork(socket string) (code int, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	c := command{Args: append([]string{}, os.Args[1:]...), Env: map[string]string{}, Dir: dir}
	for _, e := range os.Environ() {
		if name, value, _ := strings.Cut(e, "="); name != socketName {
			c.Env[name] = value
		}
	}
	message, err := json.Marshal(c)
	if err != nil {
		return 0, err
	}
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, _, err := conn.WriteMsgUnix(message, syscall.UnixRights(0, 1, 2), nil); err != nil {
		return 0, err
	}
	answer := make([]byte, 16)
	n, err := conn.Read(answer)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(answer[:n]))
}
