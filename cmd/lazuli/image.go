package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lazuli/internal/cli"
	"lazuli/internal/daemon"
	"lazuli/internal/image"
	"lazuli/internal/image/debian"
)

func imageBuildCommand() *cobra.Command {
	return &cobra.Command{
		Use: "build NAME", Short: "Build an image on this host, from its distribution's packages",
		Long: `Build an image on this host, from its distribution's packages, into the
catalogue of the node whose data directory is --data-dir. It takes one to two
minutes and about 3 GiB for the while. An image that is there already stays.

Images that can be built: debian-12.`,
		Example: "  lazuli image build debian-12",
		Args:    cli.Args(1, 1, "NAME"), ValidArgs: []string{"debian-12"},
		RunE: func(cmd *cobra.Command, args []string) error {
			recipe := debian.Debian12()
			if args[0] != recipe.Name {
				return cli.Usage("no image named %q can be built. There is: %s", args[0], recipe.Name)
			}
			if err := daemon.MakeDataDir(dataDir(cmd)); err != nil {
				return err
			}
			c, err := image.Open(daemon.ImagesDir(dataDir(cmd)))
			if err != nil {
				return err
			}
			show := progressLines()
			img, err := debian.Build(cmd.Context(), c, recipe, show)
			if err != nil {
				return err
			}
			show(debian.Progress{Phase: "done", Percent: 100})
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s is in the catalogue\n", img.Name, img.Version)
			return nil
		},
	}
}

// progressLines shows progress on stderr: in one line on a terminal, else a
// line for each phase.
func progressLines() func(debian.Progress) {
	onTerminal := term.IsTerminal(int(os.Stderr.Fd()))
	last := ""
	return func(p debian.Progress) {
		if onTerminal {
			const width = 30
			filled := p.Percent * width / 100
			fmt.Fprintf(os.Stderr, "\r\033[K[%s%s] %3d %%  %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), p.Percent, p.Phase)
			if p.Percent == 100 {
				fmt.Fprintln(os.Stderr)
			}
			return
		}
		if p.Phase != last {
			fmt.Fprintf(os.Stderr, "%3d %%  %s\n", p.Percent, p.Phase)
			last = p.Phase
		}
	}
}
