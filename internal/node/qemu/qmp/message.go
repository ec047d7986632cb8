package qmp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxLine bounds one message. The largest that QEMU sends is its schema, which
// nobody asks for; a QEMU that a guest took over may send anything.
const maxLine = 4 << 20

// message is any of the four things that a server says.
type message struct {
	Greeting *json.RawMessage `json:"QMP"`

	ID     *uint64          `json:"id"`
	Return *json.RawMessage `json:"return"`
	Error  *Error           `json:"error"`

	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
	Time  struct {
		Seconds      int64 `json:"seconds"`
		Microseconds int64 `json:"microseconds"`
	} `json:"timestamp"`
}

// Error is what QEMU answers to a command that it did not carry out.
type Error struct {
	Class string `json:"class"`
	Desc  string `json:"desc"`
}

func (e *Error) Error() string { return e.Desc }

// Event is something that QEMU tells by itself.
type Event struct {
	Name string
	Data json.RawMessage
	At   time.Time
}

func (e Event) size() int64 { return eventBytes + int64(len(e.Name)+len(e.Data)) }

func (m *message) toEvent() Event {
	return Event{
		Name: m.Event,
		Data: m.Data,
		At:   time.Unix(m.Time.Seconds, m.Time.Microseconds*1000).UTC(),
	}
}

var errLine = errors.New("message is too long")

// readMessage reads one line and decodes it.
func readMessage(r *bufio.Reader) (message, error) {
	line, err := readLine(r)
	if err != nil {
		return message{}, err
	}
	return decode(line)
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errLine
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

func decode(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, fmt.Errorf("decode: %w", err)
	}
	kinds := 0
	for _, is := range []bool{m.Greeting != nil, m.Return != nil, m.Error != nil, m.Event != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return message{}, errors.New("decode: neither greeting, return, error nor event")
	}
	return m, nil
}
