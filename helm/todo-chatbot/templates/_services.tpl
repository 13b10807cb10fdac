{{/*
One map laid over another: maps are merged key by key, everything else is replaced, a null takes a default away. (mergeOverwrite would
keep a default list where the values say []). Input: list BASE OVER. Output: JSON.
*/}}
{{- define "todo-chatbot.merge" -}}
{{- $merged := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
  {{- $default := get $merged $key -}}
  {{- if kindIs "invalid" $value -}}
    {{- $_ := unset $merged $key -}}
  {{- else if kindIs "map" $value -}}
    {{- $_ := set $merged $key (include "todo-chatbot.merge" (list (ternary $default dict (kindIs "map" $default)) $value) | fromJson) -}}
  {{- else -}}
    {{- $_ := set $merged $key $value -}}
  {{- end -}}
{{- end -}}
{{- toJson $merged -}}
{{- end -}}

{{/*
Every service with its settings complete: the map `services`, each over `serviceDefaults`, with as many pods as `scaled` says, validated. The
one way in which templates read services. Input: the root context. Output: JSON.
*/}}
{{- define "todo-chatbot.services" -}}
{{- $services := dict -}}
{{- $defaults := include "todo-chatbot.merge" (list dict .Values.serviceDefaults) | fromJson -}}
{{- range $name, $service := .Values.services -}}
  {{- if kindIs "map" $service -}}
    {{- $_ := set $services $name (include "todo-chatbot.merge" (list $defaults $service) | fromJson) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $pods := .Values.scaled -}}
  {{- with get $services $name -}}
    {{- if and .autoscaling.enabled $pods -}}
      {{- $_ := set . "autoscaling" (merge (dict "minReplicas" $pods "maxReplicas" $pods) .autoscaling) -}}
    {{- else -}}
      {{- $_ := set . "replicas" $pods -}}
      {{- $_ := set .autoscaling "enabled" false -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- include "todo-chatbot.validate" (dict "root" . "services" $services) -}}
{{- range $services -}}
  {{- if not (include "todo-chatbot.asks" .probes.startup) -}}
    {{- $_ := set .probes "startup" (merge (pick .probes.liveness "path" "tcp" "exec") (omit .probes.startup "path" "tcp" "exec")) -}}
  {{- end -}}
{{- end -}}
{{- toJson $services -}}
{{- end -}}

{{/* The ways in which a probe asks: its keys among path, tcp and exec that say something, as words. Empty: there is no such probe. Input: a probe. */}}
{{- define "todo-chatbot.asks" -}}
{{- $asks := list -}}
{{- range $way := list "path" "tcp" "exec" -}}
  {{- if get $ $way -}}
    {{- $asks = append $asks $way -}}
  {{- end -}}
{{- end -}}
{{- join " " $asks -}}
{{- end -}}

{{/* Whether there is a test pod: "true" or nothing. Input: the root context. */}}
{{- define "todo-chatbot.hasTest" -}}
{{- if and .Values.test.enabled .Values.test.imageOf -}}true{{- end -}}
{{- end -}}

{{/* Whether the database has a priority class of the chart's own: "true" or nothing. Input: the root context. */}}
{{- define "todo-chatbot.ownPriority" -}}
{{- with .Values.postgres -}}{{- if and .enabled .priority (not .priorityClassName) -}}true{{- end -}}{{- end -}}
{{- end -}}

{{/* Whether the exporter runs beside the database: "true" or nothing. Input: the root context. */}}
{{- define "todo-chatbot.hasExporter" -}}
{{- if and .Values.postgres.enabled .Values.monitoring.enabled .Values.postgres.exporter.image.repository -}}true{{- end -}}
{{- end -}}
