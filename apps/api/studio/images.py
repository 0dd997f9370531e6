"""`/api/images/{id}`: what a person thinks of a picture."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.jobs.job_shapes import ImageSerializer
from apps.api.serializers import CamelSerializer, WholeNumber, YesOrNo
from apps.api.views import Endpoint, documented, read
from apps.studio.owned import find_image


class JudgeImageSerializer(CamelSerializer):
    favourite = YesOrNo(required=False)
    rating = WholeNumber(min_value=1, max_value=5, allow_null=True, required=False, help_text="null takes it back")


class ImageItem(Endpoint):
    @documented(
        "Mark a picture as favourite, or rate it",
        body=JudgeImageSerializer,
        answers={200: ImageSerializer},
        problems=(404,),
        example={"favourite": True, "rating": 4},
        shown=examples.IMAGE,
        operation_id="images_change",
    )
    def patch(self, request: Request, image_id: UUID) -> Response:
        image = find_image(user_of(request), image_id)
        asked = read(JudgeImageSerializer, request)
        for name, value in asked.items():
            setattr(image, name, value)
        if asked:
            image.save(update_fields=list(asked))
        return Response(ImageSerializer(image).data)
