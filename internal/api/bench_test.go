package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/identity"
	"lazuli/internal/resources"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

// BenchmarkRequest is one request without the network: authenticate, route,
// run the provider, answer.
func BenchmarkRequest(b *testing.B) {
	st := memory.New(memory.Options{})
	defer st.Close()
	_, err := st.Update(b.Context(), func(tx store.Tx) error {
		p := &identity.Principal{ClientID: testClient, ObjectID: "o", TenantID: testTenant, Secrets: []identity.Secret{{Hash: identity.HashSecret(testSecret)}}}
		return firstError(arm.PutSubscription(tx, &arm.Subscription{ID: testSub, TenantID: testTenant}), identity.PutPrincipal(b.Context(), tx, p))
	})
	if err != nil {
		b.Fatal(err)
	}
	ids, err := identity.New(b.Context(), identity.Config{Store: st, TenantID: testTenant, Hosts: []string{"h"}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := api.New(b.Context(), api.Config{Store: st, Types: testTypes(), Endpoints: resources.Endpoints(resources.Config{}), Identity: ids, Rights: armtest.Everyone{}, Location: "local"})
	if err != nil {
		b.Fatal(err)
	}
	tok, err := ids.Login(b.Context(), testClient, testSecret, "https://h", "h", "")
	if err != nil {
		b.Fatal(err)
	}
	do := func(b *testing.B, method, path, body string) {
		r := httptest.NewRequest(method, "https://h"+path+"?"+version, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+tok.Raw)
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code >= http.StatusBadRequest {
			b.Fatalf("%s = %d %s", method, w.Code, w.Body)
		}
	}
	do(b, "PUT", group, `{"location":"local"}`)
	do(b, "PUT", widgets+"/w1", `{}`)
	b.Run("GET", func(b *testing.B) {
		for b.Loop() {
			do(b, "GET", widgets+"/w1", "")
		}
	})
	b.Run("PUT", func(b *testing.B) {
		for b.Loop() {
			do(b, "PUT", widgets+"/w1", `{"properties":{"size":0}}`)
		}
	})
	b.Run("Login", func(b *testing.B) {
		for b.Loop() {
			if _, err := ids.Login(b.Context(), testClient, testSecret, "https://h", "h", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("HashSecret", func(b *testing.B) {
		for b.Loop() {
			identity.HashSecret(testSecret)
		}
	})
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
