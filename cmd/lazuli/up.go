package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"lazuli/internal/daemon"
)

// Files of the daemon below the data directory.
const (
	pidFile = "lazuli.pid"
	logFile = "lazuli.log"
)

func upCommand() *cobra.Command {
	sf, nf := &serverFlags{}, &nodeFlags{}
	var foreground bool
	cmd := &cobra.Command{
		Use: "up", Short: "Start a cloud on this machine",
		Long: `Start a cloud on this machine: the control plane and a node, in one process in
the background. When it is there already, nothing happens.

Virtual machines are processes of their own: they outlive the daemon, its end
and its upgrade. 'lazuli down' ends the daemon.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !foreground {
				return startDaemon(cmd)
			}
			sc, err := sf.config(cmd)
			if err != nil {
				return err
			}
			nc, err := nf.config(cmd)
			if err != nil {
				return err
			}
			nc.Log = sc.Log
			return runUp(cmd.Context(), sc, nc)
		},
	}
	sf.add(cmd.Flags())
	nf.add(cmd.Flags())
	cmd.Flags().StringVar(&nf.Join.Name, "node-name", "node1", "name of the node")
	cmd.Flags().BoolVar(&foreground, "foreground", false, "stay in the foreground, as a service manager wants it")
	return cmd
}

func runUp(ctx context.Context, sc daemon.ServerConfig, nc daemon.NodeConfig) error {
	pid := filepath.Join(sc.DataDir, pidFile)
	defer os.Remove(pid) //nolint:errcheck // a stale one is noticed
	return daemon.Up(ctx, sc, nc, func(s *daemon.Server) {
		// The file says that the API answers from now on.
		b := []byte(strconv.Itoa(os.Getpid()) + "\n" + s.Cloud.Admin.Endpoint + "\n")
		if err := os.WriteFile(pid, b, 0o644); err != nil {
			sc.Log.Warn("no pid file", "err", err)
		}
	})
}

// running reads the pid file; pid is 0 when no daemon runs.
func running(dir string) (pid int, endpoint string, err error) {
	b, err := os.ReadFile(filepath.Join(dir, pidFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", err
	}
	first, rest, _ := strings.Cut(string(b), "\n")
	pid, err = strconv.Atoi(first)
	if err != nil || !isDaemon(pid) {
		return 0, "", nil
	}
	return pid, strings.TrimSpace(rest), nil
}

// isDaemon says whether the process is a lazuli, and not another one that got
// its number.
func isDaemon(pid int) bool {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && strings.HasPrefix(filepath.Base(exe), "lazuli")
}

// startDaemon runs this command once more, in the background, and waits until
// the API answers.
func startDaemon(cmd *cobra.Command) error {
	dir := dataDir(cmd)
	if pid, endpoint, err := running(dir); err != nil {
		return err
	} else if pid != 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "Lazuli is up: %s (process %d)\n", endpoint, pid)
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("lazuli up makes networks and runs machines under users of their own: run it as root")
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	ctx, cancel := withTimeout(cmd.Context())
	defer cancel()
	child, logPath, err := spawn(dir)
	if err != nil {
		return err
	}
	for {
		select {
		case err := <-child:
			return fmt.Errorf("the daemon ended at once (%v). Its log says:\n%s", err, tail(logPath))
		case <-ctx.Done():
			return fmt.Errorf("the daemon does not answer yet. See its log: %s", logPath)
		case <-time.After(20 * time.Millisecond):
		}
		if pid, endpoint, err := running(dir); err == nil && pid != 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "Lazuli is up: %s (process %d, log %s)\n", endpoint, pid, logPath)
			return nil
		}
	}
}

// spawn starts this program with the same arguments in a session of its own.
// It works in the root directory, so that it is told the data directory in full.
func spawn(dir string) (<-chan error, string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, logFile)
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	c := exec.Command(exe, append(os.Args[1:], "--foreground", "--data-dir", dir)...)
	c.Stdout, c.Stderr, c.Dir = log, log, "/"
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return nil, "", fmt.Errorf("start daemon: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	return done, path, nil
}

// tail is the end of a file, for an error.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

func downCommand() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "End the cloud's daemon; virtual machines run on",
		Long: "End the daemon that 'lazuli up' started. Virtual machines run on, and are found\nagain by the next 'lazuli up'. To end them too, stop them first.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pid, _, err := running(dataDir(cmd))
			if err != nil {
				return err
			}
			if pid == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "Lazuli is not up.")
				return nil
			}
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				return fmt.Errorf("end process %d: %w", pid, err)
			}
			ctx, cancel := withTimeout(cmd.Context())
			defer cancel()
			for isDaemon(pid) {
				select {
				case <-ctx.Done():
					return fmt.Errorf("process %d does not end; see its log %s", pid, filepath.Join(dataDir(cmd), logFile))
				case <-time.After(20 * time.Millisecond):
				}
			}
			fmt.Fprintln(cmd.OutOrStdout(), "Lazuli is down. Its virtual machines run on.")
			return nil
		},
	}
}
