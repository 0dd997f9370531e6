"""Beat's own tables in the admin: the library's pages, under the rules of this administration."""

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from apps.accounts.desk_admin import DeskAdmin

admin.site.unregister([PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule])


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, DeskAdmin):
    """The library's actions name no permission: here they take that to change a schedule."""

    change_form_template = "admin/change_form.html"  # the library's has a script in the page, which the policy forbids


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(beat.CrontabScheduleAdmin, DeskAdmin):
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(beat.ClockedScheduleAdmin, DeskAdmin):
    pass


@admin.register(IntervalSchedule, SolarSchedule)
class PlainScheduleAdmin(beat.ScheduleAdmin, DeskAdmin):
    pass
