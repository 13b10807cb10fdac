{{/*
Rules that span several values, which a schema cannot say: they are read after merging. All messages are collected, and the rendering fails
once with all of them. Input: dict "root" "services" (complete settings). Output: nothing.
*/}}
{{- define "todo-chatbot.validate" -}}
{{- $values := .root.Values -}}
{{- $services := .services -}}
{{- $messages := list -}}
{{- if not $services -}}
  {{- $messages = append $messages "services: name at least one service" -}}
{{- end -}}
{{- range $name, $service := $services -}}
  {{- $at := printf "services.%s" $name -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateImage" (dict "at" $at "image" $service.image) | fromJsonArray) -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateService" (dict "at" $at "service" $service) | fromJsonArray) -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateCalls" (dict "at" $at "name" $name "services" $services) | fromJsonArray) -}}
{{- end -}}
{{- range list "postgres" "test" "namespace" -}}
  {{- if hasKey $services . -}}
    {{- $messages = append $messages (printf "services.%s: the chart uses this name itself; choose another" .) -}}
  {{- end -}}
{{- end -}}
{{- if $values.postgres.enabled -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateImage" (dict "at" "postgres" "image" $values.postgres.image) | fromJsonArray) -}}
  {{- if not $values.postgres.secret.name -}}
    {{- $messages = append $messages "postgres.secret.name: name the existing Secret that holds POSTGRES_PASSWORD" -}}
  {{- end -}}
  {{- if include "todo-chatbot.hasExporter" .root -}}
    {{- $messages = concat $messages (include "todo-chatbot.validateImage" (dict "at" "postgres.exporter" "image" $values.postgres.exporter.image) | fromJsonArray) -}}
  {{- end -}}
{{- end -}}
{{- if $values.ingress.enabled -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateIngress" (dict "ingress" $values.ingress "services" $services) | fromJsonArray) -}}
{{- end -}}
{{- if and $values.test.enabled $values.test.imageOf (not (hasKey $services $values.test.imageOf)) -}}
  {{- $messages = append $messages (printf "test.imageOf: there is no service %q" $values.test.imageOf) -}}
{{- end -}}
{{- if $messages -}}
  {{- fail (printf "\n\nThe values do not fit together:\n- %s\n" (join "\n- " ($messages | uniq))) -}}
{{- end -}}
{{- end -}}

{{/* Messages on one image. Input: dict "at" "image". Output: JSON list. */}}
{{- define "todo-chatbot.validateImage" -}}
{{- $messages := list -}}
{{- if not .image.repository -}}
  {{- $messages = append $messages (printf "%s.image.repository: name the image" .at) -}}
{{- end -}}
{{- if eq (empty .image.tag) (empty .image.digest) -}}
  {{- $messages = append $messages (printf "%s.image: set exactly one of tag and digest" .at) -}}
{{- end -}}
{{- if eq .image.tag "latest" -}}
  {{- $messages = append $messages (printf "%s.image.tag: latest is not fixed: a node keeps the image that it has under a tag; use a new tag for each build" .at) -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}

{{/* Messages on one service alone. Input: dict "at" "service". Output: JSON list. */}}
{{- define "todo-chatbot.validateService" -}}
{{- $at := .at -}}
{{- $service := .service -}}
{{- $messages := list -}}
{{- if and $service.secret.keys (not $service.secret.name) -}}
  {{- $messages = append $messages (printf "%s.secret.name: name the existing Secret that holds %s" $at (join ", " $service.secret.keys)) -}}
{{- end -}}
{{- range $key := $service.secret.keys -}}
  {{- if hasKey $service.env $key -}}
    {{- $messages = append $messages (printf "%s.env.%s: the same key is in secret.keys" $at $key) -}}
  {{- end -}}
{{- end -}}
{{- if and $service.port (or (hasKey $service.env "PORT") (has "PORT" $service.secret.keys)) -}}
  {{- $messages = append $messages (printf "%s.env.PORT: set port instead" $at) -}}
{{- end -}}
{{- with $service.autoscaling -}}
  {{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
    {{- $messages = append $messages (printf "%s.autoscaling: minReplicas %d is above maxReplicas %d" $at (int .minReplicas) (int .maxReplicas)) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $request := $service.resources.requests -}}
  {{- $limit := get $service.resources.limits $name -}}
  {{- if and $limit (gt (include "todo-chatbot.number" (list $name $request) | int64) (include "todo-chatbot.number" (list $name $limit) | int64)) -}}
    {{- $messages = append $messages (printf "%s.resources.requests.%s: %v is above its limit, %v" $at $name $request $limit) -}}
  {{- end -}}
{{- end -}}
{{- $paths := list -}}
{{- range $name, $volume := $service.writable -}}
  {{- if has $volume.path $paths -}}
    {{- $messages = append $messages (printf "%s.writable.%s: %s is mounted twice" $at $name $volume.path) -}}
  {{- end -}}
  {{- $paths = append $paths $volume.path -}}
{{- end -}}
{{- if ne (empty $service.dev.folders) (empty $service.dev.command) -}}
  {{- $messages = append $messages (printf "%s.dev: name both folders and command, or neither" $at) -}}
{{- end -}}
{{- range $kind, $probe := $service.probes -}}
  {{- $asks := include "todo-chatbot.asks" $probe -}}
  {{- if contains " " $asks -}}
    {{- $messages = append $messages (printf "%s.probes.%s: it can ask in one way only, not by %s" $at $kind (replace " " " and " $asks)) -}}
  {{- else if and $asks (ne $asks "exec") (not $service.port) -}}
    {{- $messages = append $messages (printf "%s.probes.%s.%s: the service has no port; ask by exec, or name its port" $at $kind $asks) -}}
  {{- end -}}
{{- end -}}
{{- range $key := list "metricsPath" "testPages" "public" -}}
  {{- if and (get $service $key) (not $service.port) -}}
    {{- $messages = append $messages (printf "%s.%s: the service has no port" $at $key) -}}
  {{- end -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}

{{/* Messages on the calls of one service. Input: dict "at" "name" "services". Output: JSON list. */}}
{{- define "todo-chatbot.validateCalls" -}}
{{- $messages := list -}}
{{- range $other := (get .services .name).calls -}}
  {{- if eq $other "postgres" -}}
  {{- else if not (hasKey $.services $other) -}}
    {{- $messages = append $messages (printf "%s.calls: there is no service %q" $.at $other) -}}
  {{- else if not (get $.services $other).port -}}
    {{- $messages = append $messages (printf "%s.calls: services.%s has no port" $.at $other) -}}
  {{- end -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}

{{/* Messages on the Ingress. Input: dict "ingress" "services". Output: JSON list. */}}
{{- define "todo-chatbot.validateIngress" -}}
{{- $messages := list -}}
{{- if not .ingress.host -}}
  {{- $messages = append $messages "ingress.host: name the host that the Ingress answers for" -}}
{{- end -}}
{{- $taken := dict -}}
{{- range $name, $service := .services -}}
  {{- if $service.public -}}
    {{- with get $taken $service.publicPath -}}
      {{- $messages = append $messages (printf "services.%s.publicPath: %s is the path of services.%s too" $name $service.publicPath .) -}}
    {{- end -}}
    {{- $_ := set $taken $service.publicPath $name -}}
  {{- end -}}
{{- end -}}
{{- if not $taken -}}
  {{- $messages = append $messages "ingress.enabled: no service is public" -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}
