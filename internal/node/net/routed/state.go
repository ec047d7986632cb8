package routed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lazuli/internal/fabric"
)

// state is what is kept of a network: the last that was asked for, and its
// choice of transit addresses. It is written before the first thing of the
// network is made and removed after the last one is gone, so nothing exists
// that has no state.
type state struct {
	Network fabric.Network `json:"network"`
	Transit transit        `json:"transit"`
}

const stateSuffix = ".json"

// stateDir keeps one file per network. The files are not synced: after a crash
// of the host there is nothing left that they describe, and a file that cannot
// be read is as good as a new one.
type stateDir string

func (d stateDir) path(uid string) string { return filepath.Join(string(d), uid+stateSuffix) }

func (d stateDir) write(s state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tmp := d.path(s.Network.UID) + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, d.path(s.Network.UID))
}

func (d stateDir) remove(uid string) error {
	if err := os.Remove(d.path(uid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// read gives the states by UID. A file that makes no sense is a state that
// says nothing but the UID.
func (d stateDir) read() (map[string]state, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, fmt.Errorf("read networks: %w", err)
	}
	out := map[string]state{}
	for _, e := range entries {
		uid, ok := strings.CutSuffix(e.Name(), stateSuffix)
		if !ok || checkUID(uid) != nil {
			continue
		}
		b, err := os.ReadFile(d.path(uid))
		if err != nil {
			return nil, fmt.Errorf("read networks: %w", err)
		}
		out[uid] = parseState(uid, b)
	}
	return out, nil
}

func parseState(uid string, b []byte) state {
	var s state
	if json.Unmarshal(b, &s) != nil || s.Network.UID != uid || !s.Transit.Host.Is4() || s.Transit.Router != s.Transit.Host.Next() {
		return state{Network: fabric.Network{UID: uid}}
	}
	return s
}
