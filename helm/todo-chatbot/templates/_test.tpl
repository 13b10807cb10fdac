{{/*
What the test pod asks of each service that has a port: the paths of its liveness and readiness and its testPages, or else for a connection. What
has no port, its own probes alone can judge. Input: dict "root" "services" (all, complete). Output: JSON list, see files/check_services.py.
*/}}
{{- define "todo-chatbot.checks" -}}
{{- $checks := list -}}
{{- range $name, $service := .services -}}
  {{- if $service.port -}}
    {{- $host := include "todo-chatbot.componentName" (dict "root" $.root "component" $name) -}}
    {{- $url := printf "http://%s:%d" $host (int $service.port) -}}
    {{- $paths := list $service.probes.liveness.path $service.probes.readiness.path | compact | uniq -}}
    {{- range $paths -}}
      {{- $checks = append $checks (dict "url" (printf "%s%s" $url .)) -}}
    {{- end -}}
    {{- range $path, $text := $service.testPages -}}
      {{- $checks = append $checks (dict "url" (printf "%s%s" $url $path) "contains" $text) -}}
    {{- end -}}
    {{- if not (or $paths $service.testPages) -}}
      {{- $checks = append $checks (dict "host" $host "port" (int $service.port)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $checks -}}
{{- end -}}
