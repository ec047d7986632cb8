package oauth

import (
	"html/template"
	"net/http"
	"net/url"

	"lazuli/internal/identity"
)

// authorizeParameters are those of an authorization request that matter; the
// form brings them back.
var authorizeParameters = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "resource", "state", "nonce", "code_challenge", "code_challenge_method",
}

// Ways to bring a code to the program.
const (
	queryMode = "query"
	formMode  = "form_post"
)

// authorizePage is the login page to which a program sends the browser, and
// which sends it back to the program with a code.
func (h *Handler) authorizePage(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		query := r.URL.Query()
		p, err := h.authorization(query)
		if err != nil {
			h.refusePage(w, err)
			return
		}
		p.UserName = query.Get("login_hint")
		h.servePage(w, r, p, nil)
		return
	}
	p := &page{}
	h.servePage(w, r, p, func(form url.Values) error {
		asked, err := h.authorization(form)
		if err != nil {
			return err
		}
		*p = *asked
		p.UserName = form.Get("username")
		return h.authorize(r, form, p)
	})
}

// authorization checks an authorization request, and makes its page.
func (h *Handler) authorization(form url.Values) (*page, error) {
	program := identity.PublicClient(form.Get("client_id"))
	if program == "" {
		return nil, refused(identity.ErrUnknownClient, form.Get("client_id"), "")
	}
	if err := identity.CheckRedirect(form.Get("redirect_uri")); err != nil {
		return nil, refused(err, form.Get("redirect_uri"), "")
	}
	if form.Get("response_type") != "code" {
		return nil, invalidRequest("The response_type must be 'code'.")
	}
	if m := form.Get("response_mode"); m != "" && m != queryMode && m != formMode {
		return nil, invalidRequest("The response_mode must be 'query' or 'form_post'.")
	}
	if form.Get("code_challenge") == "" || form.Get("code_challenge_method") != "S256" {
		return nil, invalidRequest("A code_challenge with the code_challenge_method 'S256' is needed.")
	}
	asked, err := audience(form)
	if err != nil {
		return nil, err
	}
	if _, err := h.Identity.Audience(asked); err != nil {
		return nil, refused(err, "", asked)
	}
	p := &page{Title: "Log in", Text: program + " on this machine asks you to log in.", Hidden: map[string]string{}}
	for _, name := range authorizeParameters {
		if form.Has(name) {
			p.Hidden[name] = form.Get(name)
		}
	}
	return p, nil
}

// authorize logs the user in and turns the page into the way back.
func (h *Handler) authorize(r *http.Request, form url.Values, p *page) error {
	a, err := newAsk(r, form)
	if err != nil {
		return err
	}
	if a.Audience, err = audience(form); err != nil {
		return err
	}
	a.Nonce = form.Get("nonce")
	redirect := form.Get("redirect_uri")
	code, err := h.Identity.Authorize(r.Context(), a, redirect, form.Get("code_challenge"), p.UserName, form.Get("password"))
	if err != nil {
		return err
	}
	back := map[string]string{"code": code}
	if form.Has("state") {
		back["state"] = form.Get("state")
	}
	if form.Get("response_mode") == formMode {
		// The address has been checked, and html/template does not know it.
		*p = page{Title: "You are logged in", Text: "Go on to the program that has asked.", Action: template.URL(redirect), Hidden: back}
		return nil
	}
	query := url.Values{}
	for k, v := range back {
		query.Set(k, v)
	}
	p.Redirect = redirect + "?" + query.Encode()
	return nil
}
