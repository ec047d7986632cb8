package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"lazuli/internal/store"
)

var histories = map[string]func(*testing.T, store.Store){
	"Linearizable": testLinearizable,
	"Model":        testModel,
}

// call is an operation on one register, and outcome what came of it.
type call struct {
	key      string
	kind     string // read, list, page, write or swap
	old, new string
}

type outcome struct {
	value   string
	swapped bool
}

var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(call).key
			byKey[key] = append(byKey[key], op)
		}
		var out [][]porcupine.Operation
		for _, part := range byKey {
			out = append(out, part)
		}
		return out
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		in, out := input.(call), output.(outcome)
		switch {
		case in.kind == "write":
			return true, in.new
		case in.kind == "swap" && out.swapped:
			return state == in.old, in.new
		case in.kind == "swap":
			return state != in.old, state
		default:
			return state == out.value, state
		}
	},
}

// testLinearizable checks that what concurrent clients saw of a few registers
// is what they would have seen one after another.
func testLinearizable(t *testing.T, s store.Store) {
	const clients, each = 8, 60
	var mu sync.Mutex
	var history []porcupine.Operation
	begin := time.Now()
	together(clients, func(client int) {
		for range each {
			in := randomCall()
			start := time.Since(begin)
			out, err := in.do(t.Context(), s)
			if err != nil {
				t.Errorf("%+v: %v", in, err)
				return
			}
			op := porcupine.Operation{
				ClientId: client, Input: in, Output: out,
				Call: start.Nanoseconds(), Return: time.Since(begin).Nanoseconds(),
			}
			mu.Lock()
			history = append(history, op)
			mu.Unlock()
		}
	})
	if got := porcupine.CheckOperationsTimeout(registers, history, deadline); got != porcupine.Ok {
		t.Errorf("history is %s", got)
	}
}

func randomCall() call {
	return call{
		key:  fmt.Sprint("register/", rand.IntN(3)),
		kind: []string{"read", "list", "page", "write", "swap", "swap"}[rand.IntN(6)],
		old:  fmt.Sprint(rand.IntN(4)),
		new:  fmt.Sprint(rand.IntN(4)),
	}
}

func (c call) do(ctx context.Context, s store.Store) (out outcome, err error) {
	switch c.kind {
	case "write":
		_, err = s.Update(ctx, func(tx store.Tx) error { tx.Put(c.key, []byte(c.new)); return nil })
	case "swap":
		out.swapped, err = c.swap(ctx, s)
	case "list":
		out.value, err = first(s.List(ctx, c.key))
	case "page":
		entries, _, err := s.Page(ctx, c.key, "", 1)
		out.value, err = first(entries, err)
		return out, err
	default:
		out.value, err = c.read(ctx, s)
	}
	return out, err
}

func first(entries []store.Entry, err error) (string, error) {
	if len(entries) == 0 {
		return "", err
	}
	return string(entries[0].Value), err
}

func (c call) read(ctx context.Context, r store.Reader) (string, error) {
	e, err := r.Get(ctx, c.key)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return string(e.Value), err
}

func (c call) swap(ctx context.Context, s store.Store) (swapped bool, err error) {
	_, err = s.Update(ctx, func(tx store.Tx) error {
		value, err := c.read(ctx, tx)
		if swapped = err == nil && value == c.old; swapped {
			tx.Put(c.key, []byte(c.new))
		}
		return err
	})
	return swapped, err
}
