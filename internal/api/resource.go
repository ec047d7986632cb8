package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"lazuli/internal/arm"
)

func (s *Server) get(w http.ResponseWriter, q *request) error {
	if err := q.checkShape(); err != nil {
		return err
	}
	res, err := q.readResource()
	if err != nil {
		return err
	}
	return q.reply(w, http.StatusOK, res)
}

// head says whether the resource exists, without a body.
func (s *Server) head(w http.ResponseWriter, q *request) error {
	if _, err := q.readResource(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (q *request) readResource() (res arm.Result, err error) {
	err = q.read(func(ctx context.Context, c *arm.Call) error {
		res, err = q.target.typ.Provider.Get(ctx, c)
		return err
	})
	return res, err
}

func (s *Server) put(w http.ResponseWriter, q *request) error {
	t := q.target.typ
	res, err := q.write(func(ctx context.Context, c *arm.Call) (arm.Result, error) {
		if err := t.Names.Check(c.ID.Name()); err != nil {
			return arm.Result{}, err
		}
		return t.Provider.Put(ctx, c, q.body)
	})
	if err != nil {
		return err
	}
	status := t.Updated
	if res.Created {
		status = t.Created
	}
	return q.replyWritten(w, status, res)
}

func (s *Server) patch(w http.ResponseWriter, q *request) error {
	t := q.target.typ
	res, err := q.write(func(ctx context.Context, c *arm.Call) (arm.Result, error) {
		return t.Provider.Patch(ctx, c, q.body)
	})
	if err != nil {
		return err
	}
	return q.replyWritten(w, t.Updated, res)
}

// replyWritten answers a PUT or PATCH. Accepted is for what is not done yet.
func (q *request) replyWritten(w http.ResponseWriter, status int, res arm.Result) error {
	if status == http.StatusAccepted && res.Operation == nil {
		status = http.StatusOK
	}
	if res.Operation != nil {
		q.promise(w.Header(), res.Operation, status == http.StatusAccepted)
	}
	return q.reply(w, status, res)
}

func (s *Server) delete(w http.ResponseWriter, q *request) error {
	t := q.target.typ
	res, err := q.write(func(ctx context.Context, c *arm.Call) (arm.Result, error) {
		return t.Provider.Delete(ctx, c)
	})
	if isGone(err) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	return q.replyDone(w, http.StatusOK, res)
}

// isGone says that err is about a resource that does not exist. That a group
// or subscription does not exist is told to who deletes something in it.
func isGone(err error) bool {
	ae, ok := errors.AsType[*arm.Error](err)
	return ok && ae.Status == http.StatusNotFound && ae.Code != "ResourceGroupNotFound" && ae.Code != "SubscriptionNotFound"
}

// replyDone answers a DELETE or POST, with the status if nobody has to carry it
// out.
func (q *request) replyDone(w http.ResponseWriter, status int, res arm.Result) error {
	if res.Operation == nil {
		return q.reply(w, status, res)
	}
	q.promise(w.Header(), res.Operation, true)
	return q.reply(w, http.StatusAccepted, arm.Result{})
}

// action is the POST of act on the target, which answers with the status, zero
// for 200, if nobody has to carry it out.
func (s *Server) action(act arm.Action, status int) func(w http.ResponseWriter, q *request) error {
	return func(w http.ResponseWriter, q *request) error {
		res, err := q.write(func(ctx context.Context, c *arm.Call) (arm.Result, error) {
			return act(ctx, c, q.body)
		})
		if err != nil {
			return err
		}
		return q.replyDone(w, cmp.Or(status, http.StatusOK), res)
	}
}

// endpoint carries out e.
func (s *Server) endpoint(e arm.Endpoint) func(w http.ResponseWriter, q *request) error {
	return func(w http.ResponseWriter, q *request) error {
		handle := func(ctx context.Context, c *arm.Call) (arm.Result, error) {
			return e.Handle(ctx, c, q.target.vars)
		}
		if e.Method != http.MethodGet && e.Method != http.MethodHead {
			return q.writeEndpoint(w, handle)
		}
		res, err := q.readEndpoint(e.Filters, handle)
		if err != nil {
			return err
		}
		return q.reply(w, http.StatusOK, res)
	}
}

// writeEndpoint carries out what is no read, with the statuses of a resource's
// verbs.
func (q *request) writeEndpoint(w http.ResponseWriter, handle func(ctx context.Context, c *arm.Call) (arm.Result, error)) error {
	res, err := q.write(handle)
	switch {
	case q.Method == http.MethodDelete && isGone(err):
		w.WriteHeader(http.StatusNoContent)
		return nil
	case err != nil:
		return err
	case res.Created:
		return q.replyDone(w, http.StatusCreated, res)
	}
	return q.replyDone(w, http.StatusOK, res)
}

func (q *request) readEndpoint(filters bool, handle func(ctx context.Context, c *arm.Call) (arm.Result, error)) (res arm.Result, err error) {
	limit, after, err := q.page(filters)
	if err != nil {
		return res, err
	}
	err = q.read(func(ctx context.Context, c *arm.Call) error {
		c.Limit, c.After = limit, after
		res, err = handle(ctx, c)
		return err
	})
	if p, ok := res.Body.(arm.Page); ok {
		res.Body = q.pageBody(p)
	}
	return res, err
}
