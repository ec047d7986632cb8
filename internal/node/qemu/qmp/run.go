package qmp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"time"
)

// run owns the connection until it ends, and then answers everybody who still
// waits.
func (c *Client) run(r *bufio.Reader) {
	ended := make(chan error, 1)
	go func() { ended <- c.read(r) }()
	pending := map[uint64]*command{}
	err := c.serve(pending, ended)
	c.conn.Close()
	for reading := true; reading; { // until read has ended too
		select {
		case m := <-c.messages:
			if rerr := c.receive(m, pending); err == nil {
				err = rerr
			}
		case e := <-ended:
			reading = false
			if err == nil {
				err = e
			}
		}
	}
	c.err = fmt.Errorf("%w: %v", ErrClosed, err)
	close(c.done)
	for _, cmd := range pending {
		cmd.reply <- reply{err: c.err}
	}
}

// serve passes commands and messages until either side ends. ended keeps the
// reader's error.
func (c *Client) serve(pending map[uint64]*command, ended chan error) error {
	var id uint64
	for {
		select {
		case cmd := <-c.commands:
			id++
			pending[id] = cmd
			if err := c.send(id, cmd); err != nil {
				return err
			}
		case m := <-c.messages:
			if err := c.receive(m, pending); err != nil {
				return err
			}
		case err := <-ended:
			ended <- err
			return err
		case <-c.quit:
			return nil
		}
	}
}

// read decodes messages until the connection ends.
func (c *Client) read(r *bufio.Reader) error {
	for {
		m, err := readMessage(r)
		if err != nil {
			return err
		}
		c.messages <- m
	}
}

// send writes one command.
func (c *Client) send(id uint64, cmd *command) error {
	line, err := json.Marshal(struct {
		Execute   string          `json:"execute"`
		Arguments json.RawMessage `json:"arguments,omitempty"`
		ID        uint64          `json:"id"`
	}{cmd.name, cmd.args, id})
	if err != nil {
		return err
	}
	c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err = c.conn.Write(append(line, '\n'))
	return err
}

// receive hands on one message. Answers that nobody waits for are dropped. Once
// there are too many events, those that come are lost, and so is the connection.
func (c *Client) receive(m message, pending map[uint64]*command) error {
	if m.Event != "" {
		return c.put(m.toEvent())
	}
	if m.ID == nil {
		return nil
	}
	cmd, ok := pending[*m.ID]
	if !ok {
		return nil
	}
	delete(pending, *m.ID)
	switch {
	case m.Error != nil:
		cmd.reply <- reply{err: m.Error}
	case m.Return != nil:
		cmd.reply <- reply{result: *m.Return}
	}
	return nil
}

func (c *Client) put(e Event) error {
	if c.waiting.Load()+e.size() > maxWaiting {
		return errFlood
	}
	c.waiting.Add(e.size())
	c.events.Put(e)
	return nil
}
