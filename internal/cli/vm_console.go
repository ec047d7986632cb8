package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// endKey is Ctrl-], which ends a console as it does telnet.
const endKey = 0x1d

func vmConsoleCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "console NAME", Short: "Be at the serial console of a virtual machine",
		Long:              "Be at the serial console of a virtual machine. Ctrl-] ends it; the machine runs on.\n\nWithout a terminal, what is on stdin is typed there, and the console stays until\nthe command is interrupted or the machine stops.",
		Args:              Args(1, 1, "NAME"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			ws, err := c.dialConsole(ctx, value(m.ID))
			if err != nil {
				return fmt.Errorf("console of %s: %w", m.name(), err)
			}
			defer ws.CloseNow()
			note(cmd.ErrOrStderr(), "Connected to the console of %s. Press Enter for a prompt, Ctrl-] to end.", m.name())
			restore, err := rawTerminal(cmd.InOrStdin())
			if err != nil {
				return err
			}
			err = converse(ctx, ws, cmd.InOrStdin(), cmd.OutOrStdout())
			restore()
			if isTerminal(cmd.InOrStdin()) {
				note(cmd.ErrOrStderr(), "\nThe console of %s has ended.", m.name())
			}
			if err != nil {
				return fmt.Errorf("console of %s: %w", m.name(), err)
			}
			return nil
		}),
	}
}

// rawTerminal lets the guest handle every key, until restore is called.
func rawTerminal(stdin io.Reader) (restore func(), err error) {
	if !isTerminal(stdin) {
		return func() {}, nil
	}
	fd := int(stdin.(*os.File).Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("set terminal: %w", err)
	}
	return func() { _ = term.Restore(fd, state) }, nil
}

// dialConsole opens the websocket of a machine's serial port. Every message is
// bytes of the port.
func (c *cloud) dialConsole(ctx context.Context, id string) (*websocket.Conn, error) {
	token, err := c.bearer(ctx)
	if err != nil {
		return nil, err
	}
	ws, resp, err := websocket.Dial(ctx, c.Endpoint+id+"/console?api-version=2024-07-01", &websocket.DialOptions{
		HTTPClient: c.transport.client,
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		return nil, dialError(resp, err)
	}
	ws.SetReadLimit(-1)
	return ws, nil
}

// dialError is what the cloud said to a console that it does not open.
func dialError(resp *http.Response, err error) error {
	if resp == nil {
		return err
	}
	body, readErr := io.ReadAll(resp.Body)
	if ae := parseARMError(body); readErr == nil && ae != nil {
		return &problem{code: exitCode(resp.StatusCode), text: ae.text()}
	}
	return &problem{code: exitCode(resp.StatusCode), text: fmt.Sprintf("the cloud answered %s", resp.Status)}
}

// errEnded is the end key.
var errEnded = errors.New("ended")

// converse carries bytes both ways until the end key, the end of the port or
// of ctx; none of these is an error. A reader that blocks is left behind: the command ends with it.
func converse(ctx context.Context, ws *websocket.Conn, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	port := websocket.NetConn(ctx, ws, websocket.MessageBinary)
	go func() {
		_, err := io.Copy(port, &untilEndKey{r: stdin})
		if errors.Is(err, errEnded) {
			cancel()
		}
	}()
	_, err := io.Copy(stdout, port)
	switch {
	case ctx.Err() != nil:
		return nil // the end key, or an interruption without a terminal
	case websocket.CloseStatus(err) == websocket.StatusInternalError:
		return errors.New("the machine's serial port was closed")
	case websocket.CloseStatus(err) == websocket.StatusPolicyViolation:
		e, _ := errors.AsType[websocket.CloseError](err)
		return &problem{code: exitCode(http.StatusForbidden), text: fmt.Sprintf("the cloud ended it, you may not be there any more: %s", e.Reason)}
	}
	return err
}

// untilEndKey reads r up to the end key, and then answers errEnded.
type untilEndKey struct {
	r     io.Reader
	ended bool
}

func (u *untilEndKey) Read(p []byte) (int, error) {
	if u.ended {
		return 0, errEnded
	}
	n, err := u.r.Read(p)
	if i := bytes.IndexByte(p[:n], endKey); i >= 0 {
		u.ended = true
		return i, errEnded
	}
	return n, err
}
