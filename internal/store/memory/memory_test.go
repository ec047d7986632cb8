package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"lazuli/internal/store"
	"lazuli/internal/store/memory"
	"lazuli/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) store.Store {
	s := memory.New(memory.Options{})
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) { storetest.Run(t, open) }
