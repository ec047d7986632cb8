package disk

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// agentEnv makes the test's program an agent that runs a qemu-img.
const agentEnv = "LAZULI_TEST_QEMU_IMG"

func TestMain(m *testing.M) {
	if program := os.Getenv(agentEnv); program != "" {
		d := &Driver{c: Config{QEMUImg: program}}
		fmt.Println(d.qemuImg(context.Background(), nil))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestQEMUImgEndsWithTheAgent kills an agent in the middle of a long copy.
func TestQEMUImgEndsWithTheAgent(t *testing.T) {
	dir := t.TempDir()
	pidFile, program := filepath.Join(dir, "pid"), filepath.Join(dir, "qemu-img")
	if err := unix.Mkfifo(pidFile, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho $$ > " + pidFile + "\nexec sleep 1000\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	agent := exec.Command(os.Args[0])
	agent.Env = append(os.Environ(), agentEnv+"="+program)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	pid, cerr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	agent.Wait()
	if !ends(pidfd) {
		t.Errorf("qemu-img, process %d, outlives its agent", pid)
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	}
}

// ends waits for a process's end, for long.
func ends(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 30_000)
		if err != unix.EINTR {
			return n == 1
		}
	}
}
