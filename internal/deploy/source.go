package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// source is what a deployment was asked for with, in the texts in which it
// came: places in error messages are places in them.
type source struct {
	body       []byte // of the request
	template   []byte // what templateLink named
	parameters []byte // what parametersLink named
	request    *request
}

// open reads a request and what it links to.
func (d *Deployments) open(ctx context.Context, body []byte) (*source, error) {
	r, err := read(body)
	if err != nil {
		return nil, err
	}
	s := &source{body: body, request: r}
	if s.template, err = d.follow(ctx, r.templateLink); err != nil {
		return nil, err
	}
	s.parameters, err = d.follow(ctx, r.parametersLink)
	return s, err
}

func (d *Deployments) follow(ctx context.Context, l *link) ([]byte, error) {
	if l == nil {
		return nil, nil
	}
	if d.Load == nil {
		return nil, arm.BadRequest("InvalidContentLink", "Unable to download deployment content from '%s': this cloud reads no links. Give the template itself.", l.shown()).At(l.shown())
	}
	text, err := d.Load(ctx, l.full())
	if err != nil {
		return nil, arm.BadRequest("InvalidContentLink", "Unable to download deployment content from '%s': %v.", l.shown(), err).At(l.shown())
	}
	return text, nil
}

// full is the address with the query that was given beside it.
func (l *link) full() string {
	if q := strings.TrimPrefix(l.query, "?"); q != "" && !strings.Contains(l.uri, "?") {
		return l.uri + "?" + q
	}
	return l.uri
}

// shown is the address without its query, which may be what gives access.
func (l *link) shown() string {
	uri, _, _ := strings.Cut(l.uri, "?")
	return uri
}

func (l *link) kept() *Link {
	if l == nil {
		return nil
	}
	return &Link{URI: l.shown(), ContentVersion: l.contentVersion}
}

// parse reads the template.
func (s *source) parse() (*template.Template, error) {
	if s.request.template != nil {
		return template.New(s.request.template, "properties.template")
	}
	t, err := template.Parse(s.template)
	if err != nil {
		return nil, err
	}
	want := s.request.templateLink.contentVersion
	if got := t.ContentVersion(); want != "" && got != want {
		return nil, arm.BadRequest("InvalidContentLink", "The content version '%s' of the template is not the '%s' that the link asks for.", got, want).At("properties.templateLink.contentVersion")
	}
	return t, nil
}

// given are the values for the template's parameters.
func (s *source) given() (*jsonc.Object, error) {
	if s.parameters == nil {
		return s.request.parameters, nil
	}
	v, err := jsonc.Parse(s.parameters)
	if err != nil {
		return nil, arm.BadRequest("InvalidTemplate", "The parameters at '%s' could not be read: %v.", s.request.parametersLink.shown(), err).At("properties.parametersLink")
	}
	o, _ := v.(*jsonc.Object)
	if inner, ok := o.Get("parameters"); ok {
		o, _ = inner.(*jsonc.Object)
	}
	return o, nil
}

// The keys of what belongs to the deployment with the UID. Under the secret
// ones is what nobody is shown; it goes when the deployment ends.
func plainKey(uid, what string) string  { return "/deployment/" + uid + "/" + what }
func secretKey(uid, what string) string { return "/secret/" + uid + "/" + what }

// keep stores the source. If there are secrets in it, they go with the end.
func (s *source) keep(tx store.Tx, uid string, secret bool) {
	key := plainKey
	if secret {
		key = secretKey
	}
	tx.Put(key(uid, "body"), s.body)
	if s.parameters != nil {
		tx.Put(key(uid, "parameters"), s.parameters)
	}
	if s.template != nil {
		tx.Put(plainKey(uid, "template"), s.template)
	}
}

// errForgotten says that a deployment's source had secrets, and is gone.
var errForgotten = errors.New("the request is forgotten")

// sourceOf reads what was kept.
func sourceOf(ctx context.Context, r store.Reader, uid string) (s *source, secret bool, err error) {
	s = &source{}
	for _, part := range []struct {
		what string
		to   *[]byte
	}{{"body", &s.body}, {"parameters", &s.parameters}, {"template", &s.template}} {
		for _, key := range []string{plainKey(uid, part.what), secretKey(uid, part.what)} {
			e, err := r.Get(ctx, key)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, false, err
			}
			*part.to = e.Value
			secret = secret || key == secretKey(uid, part.what)
		}
	}
	if s.body == nil {
		return nil, false, errForgotten
	}
	if s.request, err = read(s.body); err != nil {
		return nil, false, fmt.Errorf("read what was asked for: %w", err)
	}
	return s, secret, nil
}

// forget removes everything that belongs to the deployment with the UID.
func forget(ctx context.Context, tx store.Tx, uid string) error {
	es, err := tx.List(ctx, plainKey(uid, ""))
	if err != nil {
		return err
	}
	for _, e := range es {
		tx.Delete(e.Key)
	}
	dropSecrets(tx, uid)
	return nil
}

func dropSecrets(tx store.Tx, uid string) {
	tx.Delete(secretKey(uid, "body"))
	tx.Delete(secretKey(uid, "parameters"))
}
