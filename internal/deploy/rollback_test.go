package deploy

import (
	"slices"
	"strings"
	"testing"
)

func TestRollback(t *testing.T) {
	good := deploymentBody(templateOf(thing("a", `{"v": 1}`)), "")
	bad := deploymentBody(templateOf(thing("a", `{"v": 2}`), thing("b", `{"slow": true, "fail": "later"}`, "a")), "")
	with := func(onError string) string {
		return strings.Replace(bad, `"mode"`, `"onErrorDeployment": `+onError+`, "mode"`, 1)
	}
	for what, onError := range map[string]string{
		"last": `{"type": "LastSuccessful"}`, "named": `{"type": "specificDeployment", "deploymentName": "good"}`,
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.deployed("good", good, succeeded)
			w.puts = nil
			o := w.deployed("bad", with(onError), failed)
			if v := view(o); v.Properties.OnErrorDeployment.ProvisioningState != succeeded || v.Properties.OnErrorDeployment.DeploymentName != "good" {
				t.Errorf("it shows %+v", v.Properties.OnErrorDeployment)
			}
			if len(o.Status.Error.Details) != 1 || o.Status.Error.Details[0].Code != "ResourceDeploymentFailure" {
				t.Errorf("the error is %v", o.Status.Error.Details)
			}
			if last := w.puts[slices.Index(w.puts, "good"):]; !slices.Equal(last, []string{"good", "a"}) {
				t.Errorf("it made %v again", last)
			}
		})
	}
	w := newWorld(t)
	secret := deploymentBody(`{"parameters": {"p": {"type": "securestring"}}, "resources": []}`, `{"p": {"value": "hush-hush"}}`)
	w.deployed("secret", secret, succeeded)
	for what, onError := range map[string]string{
		"never succeeded": `{"type": "SpecificDeployment", "deploymentName": "none"}`,
		"forgotten":       `{"type": "LastSuccessful"}`,
		"no name":         `{"type": "SpecificDeployment"}`,
	} {
		if _, code := w.ask("PUT", deploymentID("bad").String(), with(onError)); code != "InvalidOnErrorDeployment" {
			t.Errorf("%s: %q", what, code)
		}
	}
}
