// Command lazuli is a cloud of durable virtual machines: control plane, node
// agent and client in one program.
package main

import (
	"context"
	"log/slog"
	"os"

	"lazuli/internal/cli"
)

// version is set when a release is built.
var version = "dev"

func main() {
	root := cli.New(cli.Config{Version: version})
	root.AddCommand(upCommand(), downCommand(), serverCommand(), nodeCommand(), doctorCommand())
	for _, c := range root.Commands() {
		if c.Name() == "image" {
			c.AddCommand(imageBuildCommand())
		}
	}
	os.Exit(cli.Run(context.Background(), root))
}

func newLog(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
