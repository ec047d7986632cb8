package template

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// Loader reads the template or the parameters that a link names. Whether it
// may be read at all is the loader's to say.
type Loader func(ctx context.Context, uri string) ([]byte, error)

// CodeContentLink is the code of a link that cannot be read.
const CodeContentLink = "InvalidContentLink"

// Nested is the template of a deployment that is a resource of the plan, and
// the Input for it. Where the scope is another one than the plan's, the caller
// fills in what its functions return. If the deployment needs what the Runtime
// does not know, it is ErrUnknown.
func (p *Plan) Nested(ctx context.Context, r *Resource, rt Runtime, load Loader) (*Template, Input, error) {
	body, err := p.Body(ctx, r, rt)
	if err != nil {
		return nil, Input{}, err
	}
	in, err := p.nestedInput(r, body)
	if err != nil {
		return nil, Input{}, err
	}
	v, _ := body.Get("properties")
	properties, ok := v.(*jsonc.Object)
	if !ok {
		return nil, Input{}, r.place.invalid("The template resource '%s' %s has no properties", r.Name, r.place)
	}
	if mode, _ := properties.Get("mode"); mode != nil {
		in.Mode, _ = mode.(string)
	}
	if err := p.nestedParameters(ctx, r, properties, load, &in); err != nil {
		return nil, Input{}, err
	}
	t, err := p.nestedTemplate(ctx, r, properties, load, &in)
	return t, in, err
}

// nestedInput is the plan's own Input for another scope and name.
func (p *Plan) nestedInput(r *Resource, body *jsonc.Object) (Input, error) {
	in := p.input
	in.Level++
	in.Name, in.Parameters, in.TemplateLink, in.Mode, in.Location = r.Name, nil, nil, "Incremental", ""
	scope, ok := parseScope(r.scope)
	if !ok {
		return in, r.place.invalid("The scope '%s' of the template resource '%s' is not one of a deployment", r.scope, r.Name)
	}
	if !strings.EqualFold(scope.ID(), in.Scope.ID()) {
		in.ResourceGroup = nil
	}
	if !strings.EqualFold(scope.Subscription, in.Scope.Subscription) {
		in.Subscription = nil
	}
	if !strings.EqualFold(scope.ManagementGroup, in.Scope.ManagementGroup) {
		in.ManagementGroup = nil
	}
	in.Scope = scope
	if location, _ := body.Get("location"); location != nil {
		in.Location, _ = location.(string)
	}
	return in, nil
}

func (p *Plan) nestedParameters(ctx context.Context, r *Resource, properties *jsonc.Object, load Loader, in *Input) error {
	v, _ := properties.Get("parameters")
	given, ok := v.(*jsonc.Object)
	if !ok && v != nil {
		return r.place.invalid("The parameters of the template resource '%s' %s must be a JSON object", r.Name, r.place)
	}
	in.Parameters = given
	v, _ = properties.Get("parametersLink")
	link, _ := v.(*jsonc.Object)
	if link == nil {
		return nil
	}
	text, _, err := p.follow(ctx, r, link, load)
	if err != nil {
		return err
	}
	file, err := jsonc.Parse(text)
	if err != nil {
		return parseFailed(err)
	}
	o, _ := file.(*jsonc.Object)
	if v, ok := o.Get("parameters"); ok {
		o, _ = v.(*jsonc.Object)
	}
	in.Parameters = o
	return nil
}

func (p *Plan) nestedTemplate(ctx context.Context, r *Resource, properties *jsonc.Object, load Loader, in *Input) (*Template, error) {
	if v, ok := properties.Get("template"); ok && v != nil {
		root, ok := v.(*jsonc.Object)
		if !ok {
			return nil, r.place.invalid("The template of the template resource '%s' %s must be a JSON object", r.Name, r.place)
		}
		return New(root, r.place.path+".properties.template")
	}
	v, _ := properties.Get("templateLink")
	link, ok := v.(*jsonc.Object)
	if !ok {
		return nil, r.place.invalid("The template resource '%s' %s has neither a 'template' nor a 'templateLink'", r.Name, r.place)
	}
	text, uri, err := p.follow(ctx, r, link, load)
	if err != nil {
		return nil, err
	}
	t, err := Parse(text)
	if err != nil {
		return nil, err
	}
	want, _ := link.Get("contentVersion")
	got, _ := t.root.Get("contentVersion")
	if want != nil && want != got {
		return nil, r.place.invalid("The content version '%v' of the template at '%s' is not the '%v' that the link asks for", got, uri, want)
	}
	in.TemplateLink = link.Clone()
	in.TemplateLink.SetFold("uri", uri)
	return t, nil
}

// follow reads what a link names: by its uri, or by a path relative to the
// template that it stands in.
func (p *Plan) follow(ctx context.Context, r *Resource, link *jsonc.Object, load Loader) ([]byte, string, error) {
	uri, err := p.address(link)
	if err != nil {
		return nil, "", r.blame(err)
	}
	if load == nil {
		return nil, "", &Error{Code: CodeContentLink, Message: fmt.Sprintf("Unable to download deployment content from '%s'. This cloud reads no links.", uri)}
	}
	text, err := load(ctx, uri)
	if err != nil {
		return nil, "", &Error{Code: CodeContentLink, Target: uri, Message: fmt.Sprintf("Unable to download deployment content from '%s': %v. Please see https://aka.ms/arm-deploy for usage details.", uri, err)}
	}
	return text, uri, nil
}

func (p *Plan) address(link *jsonc.Object) (string, error) {
	text := func(o *jsonc.Object, name string) string {
		v, _ := o.Get(name)
		s, _ := v.(string)
		return s
	}
	uri := text(link, "uri")
	if path := text(link, "relativePath"); uri == "" && path != "" {
		base, err := url.Parse(text(p.input.TemplateLink, "uri"))
		if err != nil || !base.IsAbs() {
			return "", expr.Errorf("The relativePath '%s' of a link can be used only in a template that was linked by its uri itself", path)
		}
		relative, err := base.Parse(path)
		if err != nil {
			return "", expr.Errorf("The relativePath '%s' of a link is not valid", path)
		}
		uri = relative.String()
	}
	if uri == "" {
		return "", expr.Errorf("A link must have a 'uri' or a 'relativePath'")
	}
	if query := strings.TrimPrefix(text(link, "queryString"), "?"); query != "" && !strings.Contains(uri, "?") {
		uri += "?" + query
	}
	return uri, nil
}

// Absolute is the body of a deployment whose links are complete: paths relative
// to the template of the plan mean nothing to who gets the body.
func (p *Plan) Absolute(r *Resource, body *jsonc.Object) (*jsonc.Object, error) {
	v, _ := body.Get("properties")
	properties, ok := v.(*jsonc.Object)
	if !ok {
		return body, nil
	}
	body, properties = body.Clone(), properties.Clone()
	body.SetFold("properties", properties)
	for _, name := range []string{"templateLink", "parametersLink"} {
		v, _ := properties.Get(name)
		link, ok := v.(*jsonc.Object)
		if !ok || !link.Has("relativePath") {
			continue
		}
		uri, err := p.address(link)
		if err != nil {
			return nil, r.blame(err)
		}
		whole := jsonc.NewObject("uri", uri)
		if version, _ := link.Get("contentVersion"); version != nil {
			whole.Set("contentVersion", version)
		}
		properties.SetFold(name, whole)
	}
	return body, nil
}
