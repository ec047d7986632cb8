package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template"
	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// groupExport makes a template of what is in a group.
type groupExport struct {
	nameParameters bool
	parameters     *jsonc.Object
	resources      []*jsonc.Object
	ids            []string          // of the resources
	calls          map[string]string // the expressions of their names, by id in lower case
	owned          map[string]bool   // disks that a machine makes by itself, by id in lower case
}

// exportGroup answers with a template of the resources of a group, with their
// names as parameters.
func (d *Deployments) exportGroup(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	x := &groupExport{nameParameters: true, parameters: jsonc.NewObject(), calls: map[string]string{}, owned: map[string]bool{}}
	wanted, err := x.read(c.Body)
	if err != nil {
		return arm.Result{}, err
	}
	all, err := d.contents(ctx, c.Principal, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	all = slices.DeleteFunc(all, func(f found) bool {
		return wanted != nil && !slices.ContainsFunc(wanted, func(id string) bool { return strings.EqualFold(id, f.ID) })
	})
	if len(wanted) > len(all) {
		return arm.Result{}, arm.BadRequest("ResourceNotFound", "Some of the %d resources to export are not in the resource group '%s'.", len(wanted), c.ID.ResourceGroup)
	}
	bodies, err := d.bodies(ctx, c.Principal, all)
	if err != nil {
		return arm.Result{}, err
	}
	for _, body := range bodies {
		x.own(body)
	}
	for _, f := range all {
		if bodies[f.ID] != nil && !x.owned[strings.ToLower(f.ID)] {
			x.name(f)
		}
	}
	for _, f := range all {
		if _, named := x.calls[strings.ToLower(f.ID)]; named {
			x.add(f, d.versionOf(f.Type), bodies[f.ID])
		}
	}
	t := jsonc.NewObject(
		"$schema", "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "contentVersion", "1.0.0.0",
		"parameters", x.parameters, "variables", jsonc.NewObject(), "resources", x.list(),
	)
	return d.answer(c, arm.GroupID(c.ID.Subscription, c.ID.ResourceGroup), exported{t})
}

// bodies are the resources as they are shown, by id; what is gone is left out.
func (d *Deployments) bodies(ctx context.Context, p arm.Principal, all []found) (map[string]*jsonc.Object, error) {
	bodies := map[string]*jsonc.Object{}
	for _, f := range all {
		text, err := (&runtime{cloud: d.Cloud, principal: p}).Get(ctx, f.ID, DefaultVersion)
		if ae := asRefusal(err); ae != nil && ae.Status == 404 {
			continue
		}
		if err != nil {
			return nil, err
		}
		if bodies[f.ID], err = shownTree(text); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

// own finds the disks in a machine that the machine makes by itself: the
// template that makes the machine must not make them.
func (x *groupExport) own(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			x.own(e)
		}
	case *jsonc.Object:
		if option, _ := v.Get("createOption"); option == "FromImage" || option == "Empty" {
			disk, _ := v.Get("managedDisk")
			o, _ := disk.(*jsonc.Object)
			id, _ := o.Get("id")
			if s, ok := id.(string); ok {
				x.owned[strings.ToLower(s)] = true
			}
		}
		for m := range v.All() {
			x.own(m.Value)
		}
	}
}

// read reads what to export; nil is everything.
func (x *groupExport) read(body []byte) (wanted []string, err error) {
	v, err := jsonc.Parse(body)
	if err != nil {
		return nil, refusal(template.InvalidContent(err))
	}
	root, ok := v.(*jsonc.Object)
	if !ok {
		return nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid: a JSON object is needed.")
	}
	f, options := &fields{}, ""
	f.each(root, "", map[string]func(any, string){
		"options":      f.text(&options),
		"outputFormat": f.word(new(string), "Json"),
		"resources":    func(v any, at string) { wanted = f.texts(v, at) },
	})
	for option := range strings.SplitSeq(options, ",") {
		switch strings.ToLower(strings.TrimSpace(option)) {
		case "", "none", "includecomments", "includeparameterdefaultvalue":
		case "skipresourcenameparameterization", "skipallparameterization":
			x.nameParameters = false
		default:
			f.fail(arm.BadRequest("InvalidExportOptions", "The option '%s' is not one of 'IncludeParameterDefaultValue', 'IncludeComments', 'SkipResourceNameParameterization' and 'SkipAllParameterization'.", option).At("options"))
		}
	}
	if slices.Contains(wanted, "*") {
		wanted = nil
	}
	return wanted, f.err
}

func (f *fields) texts(v any, at string) []string {
	list, ok := v.([]any)
	if !ok {
		f.wrong(at, "an array of strings")
	}
	texts := []string{}
	for i, e := range list {
		var s string
		f.text(&s)(e, fmt.Sprintf("%s[%d]", at, i))
		texts = append(texts, s)
	}
	return texts
}

// name gives a resource the parameter for its name, and the expression for its
// id.
func (x *groupExport) name(f found) {
	name := "'" + strings.ReplaceAll(f.Name, "'", "''") + "'"
	if x.nameParameters {
		_, types, _ := strings.Cut(f.Type, "/")
		base := strings.ReplaceAll(types, "/", "_") + "_" + wordOnly(f.Name) + "_name"
		parameter := base
		for n := 1; x.parameters.Has(parameter); n++ {
			parameter = fmt.Sprintf("%s_%d", base, n)
		}
		x.parameters.Set(parameter, jsonc.NewObject("defaultValue", expr.Escape(f.Name), "type", "String"))
		name = "parameters('" + parameter + "')"
	}
	x.ids = append(x.ids, f.ID)
	x.calls[strings.ToLower(f.ID)] = name
}

// wordOnly is a name as part of another.
func wordOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

// readOnly are properties that no template sets.
var readOnly = map[string]bool{
	"resourceguid": true, "vmid": true, "uniqueid": true, "timecreated": true, "managedby": true, "managedbyextended": true,
	"diskstate": true, "disksizebytes": true, "ipconfiguration": true, "virtualmachine": true, "creationtime": true,
	"macaddress": true, "statusofprimary": true, "primaryendpoints": true, "primarylocation": true, "keycreationtime": true,
	"virtualmachines": true, "defaultsecurityrules": true, "resources": true, "fqdn": true,
}

// uses are properties that say who uses a resource, by its type.
var uses = map[string]map[string]bool{
	"microsoft.network/virtualnetworks":       {"ipconfigurations": true},
	"microsoft.network/networksecuritygroups": {"networkinterfaces": true, "subnets": true},
}

// add adds a resource as the template has it.
func (x *groupExport) add(f found, version string, shown *jsonc.Object) {
	var waits []string
	out := jsonc.NewObject("type", f.Type, "apiVersion", version, "name", x.nameOf(f))
	for m := range shown.All() {
		switch jsonc.Fold(m.Name) {
		case "id", "name", "type", "managedby", "managedbyextended", "resources":
		case "properties":
			// last, after what it waits for
		default:
			out.Set(m.Name, x.value(m.Value, f, &waits))
		}
	}
	properties, _ := shown.Get("properties")
	body := x.value(properties, f, &waits)
	slices.Sort(waits)
	if waits = slices.Compact(waits); len(waits) > 0 {
		list := make([]any, len(waits))
		for i := range waits {
			list[i] = waits[i]
		}
		out.Set("dependsOn", list)
	}
	if body != nil {
		out.Set("properties", body)
	}
	x.resources = append(x.resources, out)
}

func (x *groupExport) nameOf(f found) string {
	call := x.calls[strings.ToLower(f.ID)]
	if strings.HasPrefix(call, "'") {
		return expr.Escape(f.Name)
	}
	return "[" + call + "]"
}

// value is a value as the template has it: with expressions for ids of what is
// in it, which the resource self then waits for.
func (x *groupExport) value(v any, self found, waits *[]string) any {
	switch v := v.(type) {
	case string:
		return x.text(v, self, waits)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = x.value(v[i], self, waits)
		}
		return out
	case *jsonc.Object:
		out := jsonc.Make(v.Len())
		for m := range v.All() {
			if !x.leavesOut(m, self) {
				out.Set(m.Name, x.value(m.Value, self, waits))
			}
		}
		return out
	}
	return v
}

// leavesOut says whether a property is the server's: its own, or the id of a
// part of the resource.
func (x *groupExport) leavesOut(m jsonc.Member, self found) bool {
	name := jsonc.Fold(m.Name)
	if name != "id" {
		return readOnly[name] || uses[strings.ToLower(self.Type)][name] || name == "type" && isType(m.Value)
	}
	id, _ := m.Value.(string)
	id = strings.ToLower(id)
	return x.owned[id] || strings.HasPrefix(id, strings.ToLower(self.ID)+"/")
}

// isType says whether a value is the name of a type of resources.
func isType(v any) bool {
	s, _ := v.(string)
	return strings.HasPrefix(s, "Microsoft.") && strings.Contains(s, "/")
}

func (x *groupExport) text(s string, self found, waits *[]string) any {
	for _, id := range x.ids {
		rest, ok := cutFold(s, id)
		if !ok || rest != "" && !strings.HasPrefix(rest, "/") || strings.EqualFold(id, self.ID) {
			continue
		}
		call := x.resourceID(id)
		*waits = append(*waits, "["+call+"]")
		if rest == "" {
			return "[" + call + "]"
		}
		return "[concat(" + call + ", '" + strings.ReplaceAll(rest, "'", "''") + "')]"
	}
	return expr.Escape(s)
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// resourceID is the expression for the id of a resource of the export.
func (x *groupExport) resourceID(id string) string {
	parsed, err := arm.ParseID(id)
	if err != nil {
		return "'" + id + "'"
	}
	return "resourceId('" + parsed.Type() + "', " + x.calls[strings.ToLower(id)] + ")"
}

func (x *groupExport) list() []any {
	list := make([]any, len(x.resources))
	for i := range x.resources {
		list[i] = x.resources[i]
	}
	return list
}

// versionOf is the newest api-version of a type.
func (d *Deployments) versionOf(typ string) string {
	for _, t := range d.Config.Types {
		if strings.EqualFold(t.Name, typ) && len(t.APIVersions) > 0 {
			return t.APIVersions[0]
		}
	}
	return DefaultVersion
}
