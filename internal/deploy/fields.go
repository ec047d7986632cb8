package deploy

import (
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template/jsonc"
)

// fields reads the members of objects strictly, and remembers the first error.
type fields struct{ err error }

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// each gives each member of o to its reader. Others are refused when they say
// something, unless they are ignored by name.
func (f *fields) each(o *jsonc.Object, at string, readers map[string]func(v any, at string), ignored ...string) {
	seen := map[string]bool{}
	for m := range o.All() {
		path := strings.TrimPrefix(at+"."+m.Name, ".")
		name := jsonc.Fold(m.Name)
		if seen[name] {
			f.fail(arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be read: the property '%s' is given twice.", path).At(path))
		}
		seen[name] = true
		f.member(m, path, readers, ignored)
	}
}

func (f *fields) member(m jsonc.Member, path string, readers map[string]func(v any, at string), ignored []string) {
	if saysNothing(m.Value) {
		return
	}
	for name, read := range readers {
		if strings.EqualFold(name, m.Name) {
			read(m.Value, path)
			return
		}
	}
	for _, name := range ignored {
		if strings.EqualFold(name, m.Name) {
			return
		}
	}
	f.fail(arm.Unsupported(path))
}

// saysNothing is true of what counts as absent. An empty object may be one
// that is needed.
func saysNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case []any:
		return len(v) == 0
	}
	return false
}

func (f *fields) wrong(at, want string) {
	f.fail(arm.InvalidParameter(at, "The value of '%s' must be %s.", at, want))
}

func (f *fields) text(to *string) func(any, string) {
	return func(v any, at string) {
		s, ok := v.(string)
		if !ok {
			f.wrong(at, "a string")
		}
		*to = s
	}
}

// word is one of some words in any case, in the spelling that is given here.
func (f *fields) word(to *string, words ...string) func(any, string) {
	return func(v any, at string) {
		s, _ := v.(string)
		for _, w := range words {
			if strings.EqualFold(w, s) {
				*to = w
				return
			}
		}
		f.wrong(at, "one of '"+strings.Join(words, "', '")+"'")
	}
}

func (f *fields) object(to **jsonc.Object) func(any, string) {
	return func(v any, at string) {
		o, ok := v.(*jsonc.Object)
		if !ok {
			f.wrong(at, "a JSON object")
		}
		*to = o
	}
}

func (f *fields) inner(readers map[string]func(any, string)) func(any, string) {
	return func(v any, at string) {
		var o *jsonc.Object
		f.object(&o)(v, at)
		f.each(o, at, readers)
	}
}

func (f *fields) tags(v any, at string) map[string]string {
	var o *jsonc.Object
	f.object(&o)(v, at)
	tags := map[string]string{}
	for m := range o.All() {
		var s string
		f.text(&s)(m.Value, at+"."+m.Name)
		tags[m.Name] = s
	}
	f.fail(arm.CheckTags(tags))
	return tags
}

func (f *fields) link(to **link) func(any, string) {
	return func(v any, at string) {
		l := &link{}
		*to = l
		f.inner(map[string]func(any, string){
			"uri": f.text(&l.uri), "contentVersion": f.text(&l.contentVersion), "queryString": f.text(&l.query),
			"id": func(_ any, at string) {
				f.fail(arm.BadRequest("InvalidTemplateSpec", "The property '%s' names a template spec, which this cloud does not have. Give the 'uri' of the template, or the template itself.", at).At(at))
			},
			"relativePath": func(_ any, at string) {
				f.fail(arm.BadRequest("InvalidContentLink", "The property '%s' can be used only by a template that was linked by its uri itself. Give the 'uri'.", at).At(at))
			},
		})(v, at)
		if l.uri == "" {
			f.fail(arm.BadRequest("InvalidContentLink", "The link '%s' has no 'uri'.", at).At(at))
		}
	}
}

func (f *fields) onError(v any, at string) *OnError {
	e := &OnError{}
	f.inner(map[string]func(any, string){
		"type": f.word(&e.Type, "LastSuccessful", "SpecificDeployment"), "deploymentName": f.text(&e.DeploymentName),
		"provisioningState": func(any, string) {},
	})(v, at)
	switch {
	case e.Type == "":
		f.wrong(at+".type", "one of 'LastSuccessful', 'SpecificDeployment'")
	case (e.Type == "SpecificDeployment") != (e.DeploymentName != ""):
		f.fail(arm.BadRequest("InvalidOnErrorDeployment", "A 'deploymentName' is to be given with the type 'SpecificDeployment', and only then.").At(at + ".deploymentName"))
	}
	return e
}
