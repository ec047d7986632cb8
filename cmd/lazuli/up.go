package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"lazuli/internal/cli"
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
		Args: cli.Args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// What is wrong with the flags is told at once, not in a log.
			sc, err := sf.config(cmd)
			if err != nil {
				return err
			}
			nc, err := nf.config(cmd)
			if err != nil {
				return err
			}
			if !foreground {
				return startDaemon(cmd)
			}
			nc.Log = sc.Log
			return runUp(cmd.Context(), sc, nc)
		},
	}
	sf.add(cmd.Flags())
	nf.add(cmd.Flags())
	nf.complete(cmd)
	cmd.Flags().StringVar(&nf.Join.Name, "node-name", "node1", "name of the node")
	cmd.Flags().BoolVar(&foreground, "foreground", false, "stay in the foreground, as a service manager wants it")
	return cmd
}

func runUp(ctx context.Context, sc daemon.ServerConfig, nc daemon.NodeConfig) error {
	pid := filepath.Join(sc.DataDir, pidFile)
	mine := strconv.Itoa(os.Getpid()) + "\n"
	defer func() {
		// Another's, which kept this one from coming up, stays.
		if b, err := os.ReadFile(pid); err == nil && strings.HasPrefix(string(b), mine) {
			os.Remove(pid) //nolint:errcheck // a stale one is noticed
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	var log sync.WaitGroup
	log.Go(func() { keepLogShort(ctx, filepath.Join(sc.DataDir, logFile), sc.Log) })
	defer log.Wait()
	defer cancel()
	return daemon.Up(ctx, sc, nc, func(s *daemon.Server) {
		// The file says that the API answers from now on.
		if err := os.WriteFile(pid, []byte(mine+s.Cloud.Admin.Endpoint+"\n"), 0o644); err != nil {
			sc.Log.Warn("no pid file", "err", err)
		}
	})
}

// status is a daemon that is up.
type status struct {
	Endpoint string `json:"endpoint"`
	PID      int    `json:"pid"`
	Log      string `json:"log"`
}

// running is the daemon of a data directory; nil when none is up.
func running(dir string) (*status, error) {
	holder, err := daemon.Holder(dir)
	if err != nil || holder == 0 {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, pidFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	first, rest, _ := strings.Cut(string(b), "\n")
	if pid, err := strconv.Atoi(first); err != nil || pid != holder {
		return nil, nil // of one that is dead
	}
	return &status{strings.TrimSpace(rest), holder, filepath.Join(dir, logFile)}, nil
}

func (s *status) print(w io.Writer) {
	fmt.Fprintf(w, "Lazuli is up: %s (process %d, log %s)\n", s.Endpoint, s.PID, s.Log)
}

// startDaemon runs this command once more, in the background, and waits until
// the API answers.
func startDaemon(cmd *cobra.Command) error {
	dir := dataDir(cmd)
	if err := cli.CheckOutput(cmd); err != nil {
		return err
	}
	d, err := running(dir)
	if err != nil {
		return err
	}
	if d == nil {
		if os.Geteuid() != 0 {
			return errors.New("lazuli up makes networks and runs machines under users of their own: run it as root")
		}
		err = cli.During(cmd, "starting the cloud", func() error {
			d, err = start(cmd.Context(), dir)
			return err
		})
	}
	if err != nil {
		return err
	}
	return cli.Print(cmd, d, d.print)
}

// otherTime is how long another daemon, which kept ours from coming up, may
// take until it is up itself.
const otherTime = 15 * time.Second

// start starts a daemon. When another is started at the same time, either will
// do.
func start(ctx context.Context, dir string) (*status, error) {
	if err := daemon.MakeDataDir(dir); err != nil {
		return nil, err
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	child, logPath, err := spawn(dir)
	if err != nil {
		return nil, err
	}
	var ended error
	for {
		select {
		case err := <-child:
			child, ended = nil, fmt.Errorf("the daemon ended at once (%v). Its log says:\n%s", err, tail(logPath))
			if other, _ := daemon.Holder(dir); other == 0 {
				return nil, ended
			}
			ctx, cancel = context.WithTimeout(ctx, otherTime)
			defer cancel()
		case <-ctx.Done():
			if ended == nil {
				ended = fmt.Errorf("the daemon does not answer yet. See its log: %s", logPath)
			}
			return nil, ended
		case <-time.After(20 * time.Millisecond):
		}
		if d, err := running(dir); err == nil && d != nil {
			return d, nil
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
		Args: cli.Args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.CheckOutput(cmd); err != nil {
				return err
			}
			d, err := running(dataDir(cmd))
			if err != nil {
				return err
			}
			said := "Lazuli is not up."
			if d != nil {
				said = "Lazuli is down. Its virtual machines run on."
				err = cli.During(cmd, "waiting for the daemon to end", func() error { return end(cmd.Context(), dataDir(cmd), d) })
			}
			if err != nil {
				return err
			}
			return cli.Print(cmd, struct {
				Ended *status `json:"ended"`
			}{d}, func(w io.Writer) { fmt.Fprintln(w, said) })
		},
	}
}

// end ends a daemon and waits until it is gone.
func end(ctx context.Context, dir string, d *status) error {
	if err := syscall.Kill(d.PID, syscall.SIGTERM); err != nil {
		return fmt.Errorf("end process %d: %w", d.PID, err)
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	for {
		if holder, err := daemon.Holder(dir); err != nil || holder != d.PID {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d does not end; see its log %s", d.PID, d.Log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
