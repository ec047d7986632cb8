package oauth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
)

// page is what a person sees.
type page struct {
	Title, Text, Problem string
	// WithCode asks for a device code, too.
	WithCode       bool
	Code, UserName string
	// Done pages ask for nothing.
	Done bool
	// Hidden are fields that come back with the form.
	Hidden map[string]string
	// Action is where the form goes when that is not this page; such a form
	// has nothing but hidden fields.
	Action template.URL
	// Redirect is where to go instead of showing the page.
	Redirect string
	// Token is also in the cookie, which other sites cannot read or set.
	Token string
	Style template.CSS
}

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pagePolicy has the browser run nothing and load nothing for a page, and show
// it in no other. After a login the form leads to a program on this machine.
var pagePolicy = "default-src 'none'; style-src 'sha256-" + styleSum() + "'; form-action 'self' http://localhost:* http://localhost; frame-ancestors 'none'; base-uri 'none'"

func styleSum() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// formCookie ties a form to the browser that was shown it.
const formCookie = "__Host-lazuli-form"

var errForeignForm = errors.New("the form is another page's")

// servePage shows p on GET, and on POST what take makes of p.
func (h *Handler) servePage(w http.ResponseWriter, r *http.Request, p *page, take func(url.Values) error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.show(w, r, http.StatusOK, p)
	case http.MethodPost:
		h.takeForm(w, r, p, take)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		h.show(w, r, http.StatusMethodNotAllowed, &page{Title: "Not like this", Text: "This page is asked for by GET and POST.", Done: true})
	}
}

func (h *Handler) takeForm(w http.ResponseWriter, r *http.Request, p *page, take func(url.Values) error) {
	form, err := readForm(w, r)
	if err == nil {
		err = checkForm(r, form)
	}
	if err == nil {
		err = take(form)
	}
	if f, ok := errors.AsType[*failure](err); ok {
		h.refusePage(w, f)
		return
	}
	if err == nil && p.Redirect != "" {
		pageHeaders(w.Header())
		w.Header().Set("Location", p.Redirect)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	status := http.StatusOK
	if err != nil {
		if status, p.Problem = sayPage(err); p.Problem == "" {
			h.Logger.Error("login failed", "err", err)
			p = &page{Title: "Something went wrong", Text: "The server's log says more.", Done: true}
		}
		if p.Title == "" { // the form was not even looked into
			*p = page{Title: "Log in", Text: p.Problem, Done: true}
		}
	}
	h.show(w, r, status, p)
}

// checkForm says whether a form was made by this page, for this browser.
func checkForm(r *http.Request, form url.Values) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return errForeignForm
	}
	c, err := r.Cookie(formCookie)
	if err != nil || len(c.Value) < 32 || subtle.ConstantTimeCompare([]byte(c.Value), []byte(form.Get("form"))) != 1 {
		return errForeignForm
	}
	return nil
}

// refusePage shows an error that is the program's, not the person's.
func (h *Handler) refusePage(w http.ResponseWriter, err error) {
	status, text := http.StatusBadRequest, err.Error()
	if f, ok := errors.AsType[*failure](err); ok {
		status, text = f.status, f.Description
	}
	h.show(w, nil, status, &page{Title: "The program asks for what it cannot get", Text: text, Done: true})
}

// show writes a page. Pages with a form need the request, for its cookie.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, status int, p *page) {
	pageHeaders(w.Header())
	if !p.Done && p.Action == "" {
		p.Token = formToken(w, r)
	}
	p.Style = template.CSS(pageStyle)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		panic(err) // the template fits its struct
	}
	w.WriteHeader(status)
	// A client that has gone away has nobody to be told.
	_, _ = w.Write(b.Bytes())
}

func pageHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// formToken is the token of the browser, which several pages may share.
func formToken(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(formCookie); err == nil && len(c.Value) >= 32 && len(c.Value) < 64 {
		return c.Value
	}
	token := rand.Text() + rand.Text()
	http.SetCookie(w, &http.Cookie{Name: formCookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return token
}
