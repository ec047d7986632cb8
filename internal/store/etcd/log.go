package etcd

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// noise is what etcd warns of though nothing is wrong.
var noise = []string{
	"Running http and grpc server on single port",
	"simple token is not cryptographically signed",
	"check file permission", // what matters is under member, which etcd makes private
	// A first start looks before anything is written, and looks again later.
	"Failed to detect schema version",
	"failed to update storage version",
	"cannot campaign at term 1 since there are still pending configuration changes",
	"failed to lock file", // a log file in use is not purged
}

func isNoise(message string) bool {
	return slices.ContainsFunc(noise, func(s string) bool { return strings.Contains(message, s) })
}

// newLogger routes etcd's warnings and errors to log. A fatal panics instead
// of ending the process, so that starting can report it; later it ends the
// process all the same, which is right for a store that cannot write: see
// endOnPanic for the goroutines of callers.
func newLogger(log *slog.Logger) *zap.Logger {
	return zap.New(core{log}, zap.WithFatalHook(panicHook{}), zap.WithPanicHook(panicHook{}))
}

// core is a zapcore.Core that writes to slog.
type core struct{ log *slog.Logger }

func (c core) Enabled(level zapcore.Level) bool { return level >= zapcore.WarnLevel }

func (c core) With(fields []zapcore.Field) zapcore.Core {
	return core{c.log.With(attrs(fields)...)}
}

func (c core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(e.Level) || isNoise(e.Message) {
		return ce
	}
	return ce.AddCore(e, c)
}

func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level := slog.LevelWarn
	if e.Level > zapcore.WarnLevel {
		level = slog.LevelError
	}
	c.log.Log(context.Background(), level, "etcd: "+e.Message, attrs(fields)...)
	return nil
}

func (c core) Sync() error { return nil }

// attrs flattens fields; an error becomes the attribute err.
func attrs(fields []zapcore.Field) []any {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(enc)
	}
	var out []any
	for _, f := range fields {
		if f.Type == zapcore.ErrorType {
			out = append(out, slog.Any("err", f.Interface))
		} else if v, ok := enc.Fields[f.Key]; ok {
			out = append(out, slog.Any(f.Key, short(v)))
		}
	}
	return out
}

// maxAttr bounds a value that is logged, in bytes: that of a slow transaction
// has all its keys.
const maxAttr = 1 << 10

func short(v any) any {
	if s, ok := v.(string); ok && len(s) > maxAttr {
		return s[:maxAttr] + "…"
	}
	return v
}

// panicHook panics with the message and the error of an entry.
type panicHook struct{}

func (panicHook) OnWrite(ce *zapcore.CheckedEntry, fields []zapcore.Field) {
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok {
			panic(fmt.Sprintf("%s: %v", ce.Message, err))
		}
	}
	panic(ce.Message)
}

// endOnPanic is deferred. It ends the process when etcd panics in the goroutine
// of a caller, who might survive it: the store would be in no state to go on,
// and who waits for it would wait for ever.
func endOnPanic() {
	if p := recover(); p != nil {
		go panic(fmt.Sprintf("%v\n%s", p, debug.Stack()))
		select {}
	}
}
