package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"lazuli/internal/identity"
)

// devicePath is the page that a person enters a code on. It is short, for it
// has to be typed.
const devicePath = "device"

// deviceReply is RFC 8628's.
type deviceReply struct {
	UserCode        string `json:"user_code"`
	DeviceCode      string `json:"device_code"`
	VerificationURI string `json:"verification_uri"`
	VerificationURL string `json:"verification_url"` // what version 1 calls it
	ExpiresIn       int    `json:"expires_in"`
	Interval        int    `json:"interval"`
	Message         string `json:"message"`
}

// beginDevice begins a login that a person ends in a browser.
func (h *Handler) beginDevice(r *http.Request, form url.Values) (any, error) {
	a, err := newAsk(r, form)
	if err != nil {
		return nil, err
	}
	if a.Audience, err = audience(form); err != nil {
		return nil, err
	}
	c, err := h.Identity.BeginDevice(r.Context(), a)
	if err != nil {
		return nil, refused(err, a.ClientID, a.Audience)
	}
	page := "https://" + r.Host + "/" + devicePath
	return deviceReply{
		UserCode: c.User, DeviceCode: c.Device, VerificationURI: page, VerificationURL: page,
		ExpiresIn: int(identity.DeviceTime / time.Second), Interval: int(identity.DeviceInterval / time.Second),
		Message: fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate.", page, c.User),
	}, nil
}

// devicePage shows the page, and takes what was entered.
func (h *Handler) devicePage(w http.ResponseWriter, r *http.Request) {
	p := &page{Title: "Log in to a program", WithCode: true,
		Text: "Enter the code that the program shows. Only go on if you have started that program yourself: it will be logged in as you."}
	h.servePage(w, r, p, func(form url.Values) error {
		p.Code, p.UserName = form.Get("user_code"), form.Get("username")
		program, err := h.Identity.ApproveDevice(r.Context(), p.Code, p.UserName, form.Get("password"), remoteAddress(r))
		if err != nil {
			return err
		}
		*p = page{Title: "You are logged in", Text: fmt.Sprintf("%s goes on as %s. You may close this page.", program, p.UserName), Done: true}
		return nil
	})
}

// sayPage is err for the person before a page; "" when it is none of theirs.
func sayPage(err error) (status int, text string) {
	switch {
	case errors.Is(err, identity.ErrWrongPassword):
		return http.StatusUnauthorized, "The user name or password is wrong."
	case errors.Is(err, identity.ErrDisabledUser):
		return http.StatusForbidden, "This user is disabled. Ask an administrator of the cloud."
	case errors.Is(err, identity.ErrThrottled):
		return http.StatusTooManyRequests, "There were too many failed logins. Wait a minute and try again."
	case errors.Is(err, identity.ErrWrongCode):
		return http.StatusBadRequest, "There is no such code. It may have expired: then start the program again."
	case errors.Is(err, errForeignForm):
		return http.StatusForbidden, "The form did not come from this page, or is too old. Try again."
	}
	return http.StatusInternalServerError, ""
}
