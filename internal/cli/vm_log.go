package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// followTime is how often the log that is followed is read.
const followTime = time.Second

func vmLogCommand(a *app) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use: "log NAME", Short: "Print what a virtual machine wrote to its serial console",
		Example:           example("lazuli vm log web1", "lazuli vm log web1 --follow"),
		Args:              Args(1, 1, "NAME"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			if err := c.printLog(ctx, cmd.OutOrStdout(), a.groupName(), m.name(), follow); err != nil {
				return fmt.Errorf("log of %s: %w", m.name(), err)
			}
			return nil
		}),
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what it writes from now on, until interrupted")
	return cmd
}

func (c *cloud) printLog(ctx context.Context, w io.Writer, group, vm string, follow bool) error {
	var old []byte
	tick := time.NewTicker(followTime)
	defer tick.Stop()
	for {
		log, err := c.serialLog(ctx, group, vm)
		if follow && ctx.Err() != nil {
			return nil // that is how it ends
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(unseen(old, log)); err != nil || !follow {
			return err
		}
		old = log
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// serialLog reads the whole log, in the way that every client of Azure does.
func (c *cloud) serialLog(ctx context.Context, group, vm string) ([]byte, error) {
	r, err := c.compute.NewVirtualMachinesClient().RetrieveBootDiagnosticsData(ctx, group, vm, nil)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, value(r.SerialConsoleLogBlobURI), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.transport.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return body, nil
	}
	text := resp.Status
	if ae := parseARMError(body); ae != nil {
		text = ae.text()
	}
	return nil, &problem{code: exitCode(resp.StatusCode), text: text}
}

// unseen is the part of a log that comes after old, which was read before. The
// log may have lost its beginning meanwhile, or have begun anew.
func unseen(old, log []byte) []byte {
	if rest, ok := bytes.CutPrefix(log, old); ok {
		return rest
	}
	const enough = 4096
	tail := old[max(0, len(old)-enough):]
	if i := bytes.LastIndex(log, tail); i >= 0 {
		return log[i+len(tail):]
	}
	return log
}
